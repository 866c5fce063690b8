"""Identities that sort by the time they were made.

Promises that two ids made in one process sort in the order they were made. Knows nothing of what they name.
"""

import os
import threading
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]  # ten bits at a time: ids are made often
_SHIFTS = range(110, -1, -10)
_RANDOM_BITS = 72
_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """Return a fresh 24-character id: 48 bits of Unix milliseconds, then 72 random ones.

    Within one millisecond, or after the clock was set back, the last id is counted up instead.
    """
    global _last
    fresh = (time.time_ns() // 1_000_000) << _RANDOM_BITS | int.from_bytes(os.urandom(9), "big")
    with _lock:
        _last = fresh if fresh > _last else _last + 1
        number = _last
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in _SHIFTS])
