"""Prompt caching as the real API accounts for it, roughly: four characters are a token.

Promises that a prefix that was marked once is read from the cache when it comes again, where it is no more than
`LOOKBACK` blocks before a mark, and that the three counts add up to the whole prompt. Knows no expiry and no smallest
size. Source: https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from picklebot.testing.request_rules import all_blocks

LOOKBACK = 20  #: blocks before a mark, itself included, at whose ends a known prefix is looked for
MARK = b',"cache_control":{"type":"ephemeral"}'  #: as it stands in the bytes of a request of ours
_encode = json.JSONEncoder(check_circular=False).encode


class PromptCache:
    """Remembers the digests of marked prefixes."""

    def __init__(self, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._known: dict[bytes, None] = {}

    def usage(self, body: Mapping[str, Any], *, output_characters: int) -> dict[str, int]:
        """Return the `usage` of a request, and remember the prefixes that it marks."""
        digest = hashlib.blake2b(str(body.get("model")).encode(), digest_size=16)
        total = read = written = 0
        marked: list[bytes] = []
        blocks = all_blocks(body)
        marks = [place for place, block in enumerate(blocks) if "cache_control" in block]
        for place, block in enumerate(blocks):
            text = _encode({k: v for k, v in block.items() if k != "cache_control"}).encode()
            digest.update(text)
            total += len(text)
            key = digest.digest()
            if key in self._known and any(place <= mark < place + LOOKBACK for mark in marks):
                read = total
            if "cache_control" in block:
                marked.append(key)
                written = total
        self._remember(marked)
        read = min(read, written)
        return {
            "input_tokens": _tokens(total) - _tokens(written),
            "output_tokens": max(_tokens(output_characters), 1),
            "cache_read_input_tokens": _tokens(read),
            "cache_creation_input_tokens": _tokens(written) - _tokens(read),
        }

    def _remember(self, keys: list[bytes]) -> None:
        self._known |= dict.fromkeys(keys)
        while len(self._known) > self._capacity:
            del self._known[next(iter(self._known))]


def count_tokens(body: Mapping[str, Any]) -> int:
    """Return the tokens of a request."""
    return _tokens(sum(len(_encode({k: v for k, v in b.items() if k != "cache_control"})) for b in all_blocks(body)))


def cached_prefix(request: bytes) -> bytes:
    """Return the bytes of a request up to its last mark, without the marks: what the next one has to begin with."""
    return request[: request.rindex(MARK)].replace(MARK, b"")


def _tokens(characters: int) -> int:
    return -(-characters // 4)
