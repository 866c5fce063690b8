"""Where people were told that a message of theirs was not taken.

Promises that they are told once, until one is taken there again: a person who goes on writing to a bot that is not to
answer hears one word and not a hundred. Knows no platform.
"""

from collections import OrderedDict

KEPT = 500  #: places that are remembered


class Notices:
    """Places of which the last thing that was said is that a message was not taken."""

    def __init__(self) -> None:
        self._told: OrderedDict[str, None] = OrderedDict()

    def is_first(self, place: str) -> bool:
        """Return whether it is to be said there; from now on it was."""
        if place in self._told:
            return False
        self._told[place] = None
        if len(self._told) > KEPT:
            self._told.popitem(last=False)
        return True

    def taken(self, place: str) -> None:
        """A message was taken there."""
        self._told.pop(place, None)
