"""Identities that sort by the time they were made.

Promises that two ids made in one process sort in the order they were made. Knows nothing of what they name.
"""

import os
import threading
import time
from hashlib import blake2b

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]  # ten bits at a time: ids are made often
_RANDOM_BITS = 72
_LOW_BITS = 60
_LOW = (1 << _LOW_BITS) - 1
_lock = threading.Lock()
_moment = 0  # the millisecond of the last id
_last = 0
_high, _head = -1, ""  # the first half of the last id, as a number and as text: ids of one moment share it


def new_id() -> str:
    """Return a fresh 24-character id: 48 bits of Unix milliseconds, then 72 random ones.

    Within one millisecond, or after the clock was set back, the last id is counted up instead.
    """
    global _moment, _last, _high, _head
    moment = time.time_ns() // 1_000_000
    with _lock:
        if moment > _moment:
            _moment = moment
            _last = max(_last + 1, moment << _RANDOM_BITS | int.from_bytes(os.urandom(_RANDOM_BITS // 8), "big"))
        else:
            _last += 1
        number = _last
        if number >> _LOW_BITS != _high:
            _high = number >> _LOW_BITS
            _head = _spell(_high)
        return _head + _spell(number & _LOW)


def id_of_part(key: str, part: int, *, at_ms: int) -> str:
    """Return the one id of a part of what `key` names; parts sort in their order, and by their time among others."""
    digest = int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big")
    number = (at_ms & (1 << 48) - 1) << _RANDOM_BITS | (part & 255) << 64 | digest
    return _spell(number >> _LOW_BITS) + _spell(number & _LOW)


def _spell(half: int) -> str:
    """Return 60 bits as twelve characters."""
    pairs = _PAIRS
    return (
        f"{pairs[half >> 50]}{pairs[half >> 40 & 1023]}{pairs[half >> 30 & 1023]}"
        f"{pairs[half >> 20 & 1023]}{pairs[half >> 10 & 1023]}{pairs[half & 1023]}"
    )


def _forget() -> None:
    """A forked child must not count up from where its parent does."""
    global _moment, _last
    _moment = _last = 0


os.register_at_fork(after_in_child=_forget)
