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
_BYTES = _RANDOM_BITS // 8
_lock = threading.Lock()
_last = 0
_random = b""  # asked of the kernel for many ids at once: one at a time, the asking was the most of it


def new_id() -> str:
    """Return a fresh 24-character id: 48 bits of Unix milliseconds, then 72 random ones.

    Within one millisecond, or after the clock was set back, the last id is counted up instead.
    """
    global _last, _random
    with _lock:
        if not _random:
            _random = os.urandom(_BYTES * 256)
        fresh = (time.time_ns() // 1_000_000) << _RANDOM_BITS | int.from_bytes(_random[:_BYTES], "big")
        _random = _random[_BYTES:]
        number = _last = fresh if fresh > _last else _last + 1
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in _SHIFTS])


def _forget() -> None:
    """A forked child must not draw the ids that its parent will."""
    global _random
    _random = b""


os.register_at_fork(after_in_child=_forget)
