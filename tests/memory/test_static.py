"""A static model of our own making, on disk: no network is asked."""

from pathlib import Path

import numpy as np
import pytest
from model2vec import StaticModel
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from picklebot.errors import ModelRejected
from picklebot.memory.embedding_static import create
from picklebot.memory.memories import Memories
from picklebot.testing import FakeClock
from tests.memory.conftest import write

WORDS = {"[UNK]": [0.0, 0.0, 0.0], "bike": [1.0, 0.1, 0.0], "Fahrrad": [1.0, 0.0, 0.0], "rain": [0.0, 0.0, 1.0]}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model that knows three words of two languages."""
    tokenizer = Tokenizer(WordLevel({word: place for place, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    folder = tmp_path / "model"
    StaticModel(np.array(list(WORDS.values()), dtype=np.float32), tokenizer).save_pretrained(folder)
    return folder


async def test_a_model_in_a_folder_finds_by_meaning(model: Path, folder: Path) -> None:
    write(folder, "topics/a.md", "Das Fahrrad")
    write(folder, "topics/b.md", "rain")
    embedder = create(name="model", folder=str(model))
    memories = Memories(folder, folder.parent, clock=FakeClock(), embedder=embedder)
    try:
        found = await memories.search("bike")
    finally:
        await memories.close()
    assert found.problems == []
    assert (found.notes[0].path, found.notes[0].why["meaning"]) == ("topics/a.md", 1)


async def test_a_text_of_unknown_words_has_a_vector_too(model: Path) -> None:
    embedder = create(name="model", folder=str(model))
    known, unknown = await embedder.embed(["bike", "nothing that it knows"], asked=False)
    assert len(known) == len(unknown) == 12


async def test_a_model_that_is_not_there_is_a_refusal(tmp_path: Path) -> None:
    embedder = create(name="absent", folder=str(tmp_path))
    with pytest.raises(ModelRejected, match="the static model 'absent' cannot be loaded"):
        await embedder.embed(["x"], asked=True)
