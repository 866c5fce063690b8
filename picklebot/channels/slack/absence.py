"""What was said in Slack while nobody listened.

Promises that each place is asked once, that what was missed there comes before whatever is said there now, and that
nobody who speaks elsewhere waits for it. Knows no socket.
"""

import logging
from contextlib import suppress

from picklebot.channels.reading import Reading
from picklebot.channels.slack.api import Refused, SlackApi
from picklebot.channels.slack.history import PATIENCE, missed, ordinal
from picklebot.channels.slack.updates import Me, Said, read_message
from picklebot.clock import Clock
from picklebot.errors import ChannelUnavailable

logger = logging.getLogger(__name__)


class Absence:
    """The places that have still to be asked, those spoken at last first."""

    def __init__(self, api: SlackApi, reading: Reading, me: Me, clock: Clock) -> None:
        self._api = api
        self._reading = reading
        self._me = me
        self._clock = clock
        self._marks: dict[str, str] = {}
        self._rests_until = 0.0

    async def begin(self) -> None:
        """Look up which places there are."""
        marks = await self._reading.begin()
        self._marks = dict(sorted(marks.items(), key=lambda each: ordinal(each[1]), reverse=True))

    @property
    def pause(self) -> float | None:
        """Seconds until the next place may be asked; None where none is left."""
        return max(0.0, self._rests_until - self._clock.monotonic()) if self._marks else None

    async def somewhere(self) -> list[Said]:
        """Return what was missed at the next place; it has to wait where Slack asks for a rest.

        Raises:
            ChannelUnavailable: Slack cannot be asked.
        """
        where, mark = next(iter(self._marks.items()))
        try:
            return await self.at(where, patience=0)
        except ChannelUnavailable as exc:
            if exc.retry_after is None:
                raise
            self._marks[where] = mark
            self._rests_until = self._clock.monotonic() + exc.retry_after
            return []

    async def at(self, where: str, *, patience: int = PATIENCE) -> list[Said]:
        """Return what was missed at a place, oldest first; nothing where it was asked before.

        Raises:
            ChannelUnavailable: Slack cannot be asked.
        """
        if (mark := self._marks.pop(where, None)) is None:
            return []
        try:
            messages = await missed(self._api, where, mark, self._clock, patience=patience)
        except Refused as exc:  # it was thrown out of there
            logger.warning("slack: what was said in %s meanwhile cannot be read: %s", where, exc)
            return []
        found: list[Said] = []
        for message in messages:
            said = None
            with suppress(KeyError, TypeError, ValueError, AttributeError):  # of a shape that nobody has seen yet
                said = read_message(message, where.partition("/")[0], self._me)
            if said is not None:
                found.append(said)
            else:
                self._reading.passed(where, ordinal(str(message["ts"])), str(message["ts"]))
        return found
