"""What people ask of the store: sessions with all their steps, the last events, what waits.

Reads only, so a command may use it beside a running daemon. Knows no format of output.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from picklebot.core.events import DispatchEvent, Event, InboundEvent, TurnEvent
from picklebot.core.messages import Message
from picklebot.store.base import Joined
from picklebot.store.codec import EVENT_COLUMNS, decode_event, from_micros
from picklebot.store.database import Database
from picklebot.store.turn_reports import EVENTS, REPLY_COLUMNS, ReplyReport, StepReport, decode_reply, read_steps

_OF_SESSION = "SELECT seq FROM session_events WHERE session_id = ?"
_TURNS = f"""SELECT inbox.state, turns.state, inbox.attempts, inbox.error, turns.opening, {EVENTS}
    FROM inbox JOIN events USING (seq) LEFT JOIN turns USING (seq)
    WHERE seq IN ({_OF_SESSION}) AND kind IN ('InboundEvent', 'DispatchEvent') ORDER BY seq"""  # noqa: S608  (constants)
_REPLIES = f"""SELECT {REPLY_COLUMNS} FROM outbox JOIN events USING (seq)
    WHERE seq IN ({_OF_SESSION}) ORDER BY seq"""  # noqa: S608  (constants)
_DELIVERIES = f"SELECT {REPLY_COLUMNS} FROM outbox JOIN events USING (seq) WHERE state IN (?, ?)"  # noqa: S608  (constants)
_JOINED = f"""SELECT joined.turn, others.id, joined.step, joined.context, {EVENTS}
    FROM joined JOIN events USING (seq) JOIN events AS others ON others.seq = joined.turn
    WHERE joined.seq IN ({_OF_SESSION}) ORDER BY events.seq"""  # noqa: S608  (constants)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnReport:
    """An accepted message and all that came of it. `outcome` is None where no turn was begun, as for a command."""

    seq: int
    event: TurnEvent
    state: str
    outcome: str | None
    attempts: int
    error: str | None
    opening: Message | None
    steps: Sequence[StepReport]
    outbound: Sequence[ReplyReport]
    joined: Sequence[Joined] = ()
    """Messages that this turn took in."""
    answered_in: str | None = None
    """The id of the message whose turn answers this one, where that is not its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Replies of one channel that are not delivered yet."""

    channel: str
    replies: int
    since: datetime


class SqliteReports:
    """Reads only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def newest(self, limit: int) -> list[tuple[int, Event]]:
        """Return the last durable events with their seq, oldest first."""
        rows = await self._database.fetch(
            f"SELECT {EVENT_COLUMNS} FROM events ORDER BY seq DESC LIMIT ?",  # noqa: S608  (constants)
            (limit,),
        )
        return [decode_event(row) for row in reversed(rows)]

    async def version(self) -> int:
        """Return a number that changes when another connection has written."""
        rows = await self._database.fetch("PRAGMA data_version")
        version: int = rows[0][0]
        return version

    async def damage(self) -> str | None:
        """Look the whole database over; return the first thing that is wrong with it."""
        rows = await self._database.fetch("PRAGMA quick_check(1)")
        verdict: str = rows[0][0]
        return None if verdict == "ok" else verdict

    async def deliveries(self, state: str | None, *, limit: int) -> list[ReplyReport]:
        """Return the last replies in a state, newest first; None: those that are not delivered yet."""
        states = ("pending", "sending") if state is None else (state, state)
        rows = await self._database.fetch(f"{_DELIVERIES} ORDER BY seq DESC LIMIT ?", (*states, limit))
        return [decode_reply(row) for row in rows]

    async def waiting(self) -> list[Waiting]:
        """Return how many replies wait, by channel, and since when."""
        rows = await self._database.fetch(
            "SELECT channel, count(*), min(created_at) FROM outbox JOIN events USING (seq) "
            "WHERE state IN ('pending', 'sending') GROUP BY channel ORDER BY channel"
        )
        return [Waiting(channel=row[0], replies=row[1], since=from_micros(row[2])) for row in rows]

    async def standing(self, seq: int) -> dict[str, Any]:
        """Return state, attempts and error of one event: as an accepted message, or as a reply. Empty for others."""
        for table in ("inbox", "outbox"):
            rows = await self._database.fetch(
                f"SELECT state, attempts, error FROM {table} WHERE seq = ?",  # noqa: S608  (constants)
                (seq,),
            )
            if rows:
                return dict(zip(("state", "attempts", "error"), rows[0], strict=True))
        return {}

    async def turns(self, session_id: str) -> list[TurnReport]:
        """Return every message that a session accepted, oldest first, with its steps, calls and replies."""
        steps = await read_steps(self._database, _OF_SESSION, (session_id,))
        replies: dict[str | None, list[ReplyReport]] = {}
        for row in await self._database.fetch(_REPLIES, (session_id,)):
            reply = decode_reply(row)
            replies.setdefault(reply.event.cause_id, []).append(reply)
        joined, answered_in = await self._joined(session_id)
        turns: list[TurnReport] = []
        for state, outcome, attempts, error, opening, *logged in await self._database.fetch(_TURNS, (session_id,)):
            seq, event = decode_event(tuple(logged))
            assert isinstance(event, InboundEvent | DispatchEvent)
            turns.append(
                TurnReport(
                    seq=seq,
                    event=event,
                    state=state,
                    outcome=outcome,
                    attempts=attempts,
                    error=error,
                    opening=Message.from_json("user", opening) if opening else None,
                    steps=steps.get(seq, []),
                    outbound=replies.get(event.id, []),
                    joined=joined.get(seq, []),
                    answered_in=answered_in.get(seq),
                )
            )
        return turns

    async def _joined(self, session_id: str) -> tuple[dict[int, list[Joined]], dict[int, str]]:
        """Return what each turn of a session took in, and in whose turn each other message is answered, by seq."""
        joined: dict[int, list[Joined]] = {}
        answered_in: dict[int, str] = {}
        for turn, event_id, step, context, *logged in await self._database.fetch(_JOINED, (session_id,)):
            seq, event = decode_event(tuple(logged))
            assert isinstance(event, InboundEvent)
            answered_in[seq] = event_id
            if step is not None:
                joined.setdefault(turn, []).append(Joined(seq=seq, event=event, step=step, context=context))
        return joined, answered_in

    async def said(self, session_id: str) -> list[tuple[int, Message]]:
        """Return a session's transcript, oldest first, each message with the seq of the turn that added it."""
        rows = await self._database.fetch(
            "SELECT turn, role, blocks FROM transcript WHERE session_id = ? ORDER BY n", (session_id,)
        )
        return [(turn, Message.from_json(role, blocks)) for turn, role, blocks in rows]


class SqliteDurations:
    """How long things took: reads only, in the order of the log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def turns(self, after: int, limit: int) -> list[tuple[int, float | None]]:
        """Return (seq, seconds) of turns after `after`; None while one goes on."""
        return await self._lasted(
            "SELECT seq, finished_at - started_at FROM turns WHERE seq > ? ORDER BY seq LIMIT ?", after, limit
        )

    async def deliveries(self, after: int, limit: int) -> list[tuple[int, float | None]]:
        """Return (seq, seconds) of replies after `after`, from being written to being delivered or given up."""
        return await self._lasted(
            "SELECT seq, settled_at - created_at FROM outbox JOIN events USING (seq) WHERE seq > ? ORDER BY seq LIMIT ?",
            after,
            limit,
        )

    async def _lasted(self, sql: str, after: int, limit: int) -> list[tuple[int, float | None]]:
        rows = await self._database.fetch(sql, (after, limit))
        return [(seq, None if micros is None else micros / 1e6) for seq, micros in rows]
