"""The worker seam: something that runs until it is stopped.

Promises the shape only. Knows no work.
"""

from collections.abc import Callable
from typing import Protocol


class Worker(Protocol):
    """Runs in one task, from `ready` to the end of what it was doing when `stop` was called."""

    @property
    def name(self) -> str:
        """What to call it in logs."""
        ...

    async def run(self, ready: Callable[[], None]) -> None:
        """Work; call `ready` once others may rely on it. Returns only after `stop`; cancelled past the grace time."""
        ...

    def stop(self) -> None:
        """Take nothing new, finish what is in hand, return."""
        ...
