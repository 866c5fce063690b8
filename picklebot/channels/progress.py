"""What is there already of a message that takes several calls to a platform.

Promises that a piece which a platform took is not sent again while this process lives, however often the message is
tried. Knows no platform.
"""

from collections import OrderedDict

UNFINISHED = 100  #: messages of several pieces whose first ones are there


class Progress:
    """The receipts of messages that are not whole yet, by key."""

    def __init__(self) -> None:
        self._unfinished: OrderedDict[str, list[str]] = OrderedDict()

    def of(self, key: str) -> list[str]:
        """Return the receipts of a message's first pieces, to be added to."""
        done = self._unfinished.setdefault(key, [])
        if len(self._unfinished) > UNFINISHED:
            self._unfinished.popitem(last=False)
        return done

    def finish(self, key: str) -> str:
        """Forget a message that is whole; return its last receipt, "" where it had no piece."""
        done = self._unfinished.pop(key, [])
        return done[-1] if done else ""
