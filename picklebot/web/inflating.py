"""The body of an answer, unpacked within a bound.

Promises that a bomb costs no more memory than the bound. Knows gzip and deflate, and nothing of HTTP.
"""

import zlib

from picklebot.errors import ToolError

_AUTO = 32 + zlib.MAX_WBITS  # gzip or zlib, by their first bytes


class Body:
    """Collects pieces until `limit` bytes of text are there."""

    def __init__(self, encoding: str, limit: int) -> None:
        encoding = encoding.strip().lower() or "identity"
        if encoding not in {"identity", "gzip", "x-gzip", "deflate"}:
            raise ToolError(f"the answer is packed as {encoding!r}, which was not asked for")
        self._inflate = None if encoding == "identity" else zlib.decompressobj(_AUTO)
        self._limit = limit
        self._content = bytearray()
        self.cut = False

    @property
    def content(self) -> bytes:
        """What was collected."""
        return bytes(self._content)

    def add(self, piece: bytes) -> bool:
        """Take a piece; return whether there is room for more.

        Raises:
            ToolError: it is not what it was said to be.
        """
        room = self._limit - len(self._content)
        if self._inflate is not None:
            try:
                piece = self._inflate.decompress(piece, room + 1)
            except zlib.error as exc:
                raise ToolError("the answer is packed in a way that cannot be read") from exc
        self.cut = len(piece) > room
        self._content += piece[:room]
        return not self.cut
