"""Prompt caching as the real API accounts for it, roughly: four characters are a token.

Promises that a prefix that was marked once is read from the cache when it comes again, and that the three counts
add up to the whole prompt. Knows no expiry and no smallest size.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from picklebot.testing.request_rules import all_blocks

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
        for block in all_blocks(body):
            text = _encode({k: v for k, v in block.items() if k != "cache_control"}).encode()
            digest.update(text)
            total += len(text)
            key = digest.digest()
            if key in self._known:
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


def _tokens(characters: int) -> int:
    return -(-characters // 4)
