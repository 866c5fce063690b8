"""The embedder seam: texts in, vectors out.

Promises vectors that can be compared: each of length 1, all of one size, in the order of the texts. Knows no server
and no index.
"""

import math
from array import array
from collections.abc import Sequence
from typing import Protocol

from picklebot.errors import ModelUnavailable

MAX_SIZE = 8_192  #: numbers in a vector


class Embedder(Protocol):
    """Turns texts into vectors. One instance serves the whole daemon."""

    @property
    def name(self) -> str:
        """What its vectors are kept under: another name, other vectors."""
        ...

    async def embed(self, texts: Sequence[str], *, asked: bool) -> list[bytes]:
        """Return a vector for each text: single floats of this machine; `asked`: the texts are questions.

        Raises:
            ModelUnavailable: it may answer later.
            ModelRejected: it will refuse this again.
        """
        ...

    async def aclose(self) -> None:
        """Let go of connections. Idempotent."""
        ...


def packed(numbers: Sequence[float], *, who: str) -> bytes:
    """Return a vector as it is kept, made 1 long.

    Raises:
        ModelUnavailable: it is no vector that could be compared.
    """
    length = math.sqrt(sum(number * number for number in numbers))
    if not 0 < len(numbers) <= MAX_SIZE or not math.isfinite(length) or not length:
        raise ModelUnavailable(f"{who} answered with {len(numbers):,} numbers that are no vector")
    return array("f", [number / length for number in numbers]).tobytes()
