"""What became of a message, in SQL. Reads only."""

from datetime import datetime
from typing import cast

from picklebot.errors import NotFound
from picklebot.store.base import Fate, FateState
from picklebot.store.codec import from_micros, to_micros
from picklebot.store.database import Database
from picklebot.store.joined import SqliteAnswers

_MESSAGE = "SELECT inbox.state, not_before, error, failure FROM inbox JOIN events USING (seq) WHERE events.id = ?"
_TURN = "SELECT turns.state FROM turns JOIN events USING (seq) WHERE events.id = ?"


class SqliteFates:
    """The tables of messages, turns and replies."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._answers = SqliteAnswers(database)

    async def of(self, event_id: str, now: datetime) -> Fate:
        """Return what became of a message."""
        rows = await self._database.fetch(_MESSAGE, (event_id,))
        if not rows:
            raise NotFound(f"no message has the id {event_id[:64]!r}")
        state, not_before, error, kind = rows[0]
        # Its replies are read after its state: where that says it has ended, they are all there.
        turn = await self._database.fetch(_TURN, (await self._answers.turn_of(event_id),))
        if state == "open":
            state = "parked" if not_before > to_micros(now) else "open"
        elif turn and turn[0][0] == "stopped":
            state = "stopped"
        return Fate(
            state=cast("FateState", state),
            replies=await self._answers.replies_to(event_id),
            error=error,
            kind=kind,
            until=from_micros(not_before) if state == "parked" else None,
        )
