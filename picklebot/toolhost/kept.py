"""The output of a command, of which the beginning and the end are kept.

Promises a bound on memory whatever is added. Knows no process.
"""

KEPT = 500_000  #: bytes at each end


class Kept:
    """Collects bytes; `total` counts all of them."""

    def __init__(self, size: int = KEPT) -> None:
        self._size = size
        self._head = bytearray()
        self._tail = bytearray()
        self.total = 0

    def add(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self.total += len(chunk)
        room = self._size - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:]
        if len(self._tail) > 2 * self._size:
            del self._tail[: -self._size]

    def text(self) -> str:
        """Return what was kept, with a line where something is missing. NULs are left out."""
        tail = self._tail[-self._size :]
        cut = self.total - len(self._head) - len(tail)
        gap = f"\n[{cut:,} bytes cut here]\n".encode() if cut else b""
        return (self._head + gap + tail).decode("utf-8", "replace").replace("\0", "")
