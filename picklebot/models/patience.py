"""How long to wait for a model: for its next word, and for all of it.

Promises that time spent by whoever reads the answer never counts as the model's silence. Knows no protocol.
"""

import asyncio

from picklebot.errors import ModelUnavailable


class Patience:
    """Two deadlines: one that every sign of progress moves, and one that nothing moves. Both count seconds."""

    def __init__(self, *, idle: float, total: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._idle, self._total = idle, total
        self._end = self._loop.time() + total
        self._next = 0.0
        self.progress()

    def progress(self) -> None:
        """Start waiting anew."""
        self._next = self._loop.time() + self._idle

    def timeout(self) -> asyncio.Timeout:
        """Return a context manager that raises TimeoutError at the nearer deadline."""
        return asyncio.timeout_at(min(self._next, self._end))

    def lost(self) -> ModelUnavailable:
        """Return the error that says which deadline passed."""
        if self._loop.time() >= self._end:
            return ModelUnavailable(f"the model's answer took longer than {self._total:g} s")
        return ModelUnavailable(f"the model sent nothing new for {self._idle:g} s")
