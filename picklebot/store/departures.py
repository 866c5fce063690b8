"""Replies that are claimed in the transaction that writes them, because their platform can take them at once.

Promises that such a reply has nothing of its peer before it, that its attempt is on disk before it is made, and that
it is handed over once. One that is not sent when the process ends may have been sent, as after any crash. Knows no SQL.
"""

from collections.abc import Sequence

from picklebot.core.events import OutboundEvent, Reply
from picklebot.store.base import OutboxRow, Quay


class Departures:
    """What leaves at once, between its commit and its delivery."""

    def __init__(self) -> None:
        self._quays: dict[str, Quay] = {}
        self._rows: dict[str, OutboxRow] = {}

    def open(self, channel: str, quay: Quay) -> None:
        """Let replies for `channel` leave at once, where `quay` has room."""
        self._quays[channel] = quay

    def close(self) -> None:
        """Let none leave at once any more."""
        self._quays.clear()

    def book(self, replies: Sequence[Reply]) -> list[OutboundEvent]:
        """Return those that may leave at once, each with a place for it: the first for each peer."""
        first = {event.to: event for event in reversed(replies) if isinstance(event, OutboundEvent)}
        return [event for to, event in first.items() if (quay := self._quays.get(to.channel)) and quay.book()]

    def settle(self, booked: Sequence[OutboundEvent], rows: Sequence[OutboxRow]) -> None:
        """Keep what was claimed until it is asked for; give back the places of what was not."""
        self._rows.update((row.event.id, row) for row in rows)
        for event in booked:
            if event.id not in self._rows and (quay := self._quays.get(event.to.channel)):
                quay.free()

    def take(self, event_id: str) -> OutboxRow | None:
        """Hand over what was claimed for an event, once."""
        return self._rows.pop(event_id, None)
