"""All vectors in memory, and which of them are nearest to one: every one is compared, with numpy.

Promises exact answers; a hundred thousand vectors of 384 numbers take 150 MB and some milliseconds. What "near" is
differs between models, and between questions to one, so it is measured against how near the others are. Knows no text.
"""

import math
import sqlite3

import numpy as np
from numpy.typing import NDArray

FEW = 20  #: vectors; among fewer nothing says how near any two are
_SAMPLE = 4_000  # vectors that are looked at for how near most are


def create() -> "Matrix":
    """Return an empty matrix."""
    return Matrix()


class Matrix:
    """Vectors by what they are kept under. Used by one thread at a time."""

    def __init__(self) -> None:
        self._origin: tuple[object, ...] = ()
        self._digests: list[bytes] = []
        self._last = 0
        self._rows: NDArray[np.float32] = np.empty((0, 0), dtype=np.float32)

    def read(self, connection: sqlite3.Connection, model: str) -> None:
        """Take over what the index holds for `model` and this does not yet."""
        origin = (model, *connection.execute("SELECT made FROM totals").fetchone())
        if origin != self._origin:
            self._origin, self._digests, self._last = origin, [], 0
            self._rows = np.empty((0, 0), dtype=np.float32)
        found = connection.execute(
            "SELECT id, digest, vector FROM vectors WHERE model = ? AND id > ? ORDER BY id", (model, self._last)
        ).fetchall()
        if not found:
            return
        size = len(found[0][2])
        fresh = [row for row in found if len(row[2]) == size]
        rows = np.frombuffer(b"".join(row[2] for row in fresh), dtype=np.float32).reshape(len(fresh), -1)
        keep = self._rows if self._rows.shape[1] == rows.shape[1] else np.empty((0, rows.shape[1]), dtype=np.float32)
        self._digests = [*self._digests[: len(keep)], *(row[1] for row in fresh)]
        self._rows = np.concatenate([keep, rows])
        self._last = found[-1][0]

    def nearest(self, vector: bytes, limit: int) -> list[tuple[bytes, float]]:
        """Return what the nearest vectors are kept under, and how near each is, nearest first.

        0 is as near as half of all are, 1 as much nearer as another third of them is farther away.
        """
        asked = np.frombuffer(vector, dtype=np.float32)
        if not len(self._rows) or self._rows.shape[1] != len(asked):
            return []
        near = self._rows @ asked
        count = min(limit, len(near))
        chosen: list[int] = np.argpartition(-near, count - 1)[:count].tolist()
        ordered = sorted(chosen, key=lambda row: (-float(near[row]), self._digests[row]))
        usual, spread = _usual(near)
        return [(self._digests[row], _nearer(float(near[row]) - usual, spread)) for row in ordered]


def _usual(near: NDArray[np.float32]) -> tuple[float, float]:
    """Return how near half of all are, and how much farther all but a sixth: the few that are meant move neither."""
    if len(near) < FEW:
        return -math.inf, 0.0
    sixth, half = np.quantile(near[:: max(len(near) // _SAMPLE, 1)], (1 / 6, 1 / 2)).tolist()
    return half, half - sixth


def _nearer(more: float, spread: float) -> float:
    return more / spread if spread > 0 else math.inf if more > 0 else 0.0
