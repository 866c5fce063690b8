"""Vectors from a static model on this machine: a table of words, and no network (model2vec).

Promises that the model is loaded in a thread, when it is first needed. Knows no index.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from model2vec import StaticModel

from picklebot.errors import ModelRejected
from picklebot.memory.embedding import Embedder, packed


def create(*, name: str, folder: str | None) -> Embedder:
    """Return the model called `name`, from `folder` if it is kept there, else from where model2vec keeps its models."""
    return StaticEmbedder(name, folder)


class StaticEmbedder:
    """One model, loaded once."""

    def __init__(self, model: str, folder: str | None) -> None:
        self._model = model
        self._folder = folder
        self._loading = asyncio.Lock()
        self._loaded: StaticModel | None = None

    @property
    def name(self) -> str:
        """What its vectors are kept under."""
        return f"static:{self._model}"

    async def embed(self, texts: Sequence[str], *, asked: bool) -> list[bytes]:
        """Return a vector for each text."""
        async with self._loading:
            if self._loaded is None:
                self._loaded = await asyncio.to_thread(self._load)
        return await asyncio.to_thread(self._embed, self._loaded, texts)

    async def aclose(self) -> None:
        """Forget the model."""
        self._loaded = None

    def _load(self) -> StaticModel:
        try:
            return StaticModel.from_pretrained(Path(self._folder or self._model), force_download=False)
        except (OSError, ValueError, RuntimeError) as exc:
            raise ModelRejected(f"the static model {self._model!r} cannot be loaded: {exc}") from exc

    def _embed(self, model: StaticModel, texts: Sequence[str]) -> list[bytes]:
        vectors = model.encode(list(texts), use_multiprocessing=False)
        # A text without a word that the model knows has no direction; any will do, as long as it is far from all others.
        return [
            packed(row.tolist() if row.any() else [1.0] * len(row), who=f"the model {self._model!r}") for row in vectors
        ]
