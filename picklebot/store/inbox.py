"""Messages from the door to the end of their turn, in SQL.

Promises one event for one (channel, key), one open turn a session at a time in accept order, and an attempt counted
before it is made. Knows no worker.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from picklebot.core.events import DispatchEvent, InboundEvent, OutboundEvent, Reply
from picklebot.core.messages import Message
from picklebot.core.source import Source
from picklebot.store import claims, joined, outbox, refusals
from picklebot.store.arrivals import FIRST_TIME, accept
from picklebot.store.base import POISON, Acceptance, Arrival, CalledOff, Joining, Refusal, Turn
from picklebot.store.codec import EVENT_COLUMNS, decode_event, from_micros, to_micros
from picklebot.store.crowds import accept_all
from picklebot.store.database import Database
from picklebot.store.steps import recorded_steps
from picklebot.store.units import OneOfMany

SUSPECT = 2  #: a message that was begun so often and never ended is begun again only with no other such beside it
_EVENTS = ", ".join(f"events.{column}" for column in EVENT_COLUMNS.split(", "))
_NEXT = f"""SELECT inbox.attempts, inbox.not_before, turns.state, turns.opening, inbox.called_off,
    EXISTS (SELECT 1 FROM joined WHERE joined.turn = inbox.seq), {_EVENTS}
    FROM inbox JOIN events USING (seq) LEFT JOIN turns USING (seq)
    WHERE inbox.session_id = ? AND inbox.state = 'open' ORDER BY seq LIMIT 1"""  # noqa: S608
_OLDEST = "SELECT min(seq) FROM inbox WHERE session_id = ? AND state = 'open'"
_CALL_OFF = """UPDATE inbox SET not_before = 0, called_off = 1 WHERE session_id = ?1 AND state = 'open'
    AND (?2 IS NULL OR (SELECT source FROM events WHERE events.seq = inbox.seq) = ?2) RETURNING seq"""
_EVENT = f"SELECT {EVENT_COLUMNS} FROM events WHERE seq = ?"  # noqa: S608  (constants)
_COUNT = "UPDATE inbox SET attempts = attempts + 1, not_before = 0 WHERE seq = ?"
_START = "INSERT INTO turns (seq, state, started_at) VALUES (?, 'running', ?)"
_TOLD = "SELECT 1 FROM events WHERE cause_id = ? AND kind = 'OutboundEvent' LIMIT 1"  # a word before the reply
_DUE = """SELECT session_id, agent_id, min(seq) AS first, not_before FROM inbox WHERE state = 'open'
    GROUP BY session_id HAVING not_before <= ? ORDER BY first LIMIT ?"""


class SqliteInbox:
    """The inbox table."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._opening = 0
        self._opened: dict[str, Turn] = {}  # by session: begun with their acceptance, and not yet asked for

    async def accept(self, arrival: Arrival, *, limit: int, room: int = 0) -> Acceptance:
        """Put a message on disk, in its session; the same channel and key again gives the first one back.

        Where there is `room` for one more turn than waits to be asked for, and nothing else is open in the session,
        the message is begun in the same transaction.
        """
        if room <= len(self._opened) + self._opening:
            return await self._database.write(OneOfMany((arrival, limit), accept_all))
        self._opening += 1
        try:
            acceptance, turn = await self._database.write(
                lambda connection: accept_and_begin(connection, arrival, limit=limit)
            )
            if turn is not None:
                self._opened[turn.event.session_id] = turn
        finally:
            self._opening -= 1
        return acceptance

    async def seen(self, channel: str, key: str) -> InboundEvent | None:
        """Return the message that was accepted under this key, if there was one."""
        rows = await self._database.fetch(FIRST_TIME, (channel, key))
        if not rows:
            return None
        _, event = decode_event(rows[0])
        assert isinstance(event, InboundEvent)
        return event

    async def answer(self, arrival: Arrival, reply: str, *, error: str | None = None) -> OutboundEvent | None:
        """Accept a command and its reply at once, with no turn; None if its key was seen before.

        With `error` it counts as failed. Its claim ends with it.
        """

        def unit(connection: sqlite3.Connection) -> OutboundEvent | None:
            claims.end(connection, arrival)
            acceptance = accept(connection, arrival, limit=1 << 30)
            if acceptance.duplicate:
                return None
            state = "failed" if error else "done"
            connection.execute("UPDATE inbox SET state = ?, error = ? WHERE seq = ?", (state, error, acceptance.seq))
            event = OutboundEvent(
                session_id=acceptance.event.session_id,
                source=arrival.source,
                to=arrival.source,
                cause_id=acceptance.event.id,
                content=reply,
                error=error,
                created_at=arrival.at,
            )
            outbox.add(connection, event)
            return event

        return await self._database.write(unit)

    async def due(self, now: datetime, *, limit: int, busy: Sequence[str] = ()) -> list[tuple[str, str]]:
        """Return (session, agent) of sessions with a message to begin now, longest waiting first."""
        rows = await self._database.fetch(_DUE, (to_micros(now), limit + len(busy)))
        skip = set(busy)
        return [(row[0], row[1]) for row in rows if row[0] not in skip][:limit]

    async def next_due(self, now: datetime) -> datetime | None:
        """Return when the next deferred message may begin, if one waits."""
        rows = await self._database.fetch(
            "SELECT min(not_before) FROM inbox WHERE state = 'open' AND not_before > ?", (to_micros(now),)
        )
        return from_micros(rows[0][0]) if rows[0][0] is not None else None

    async def parked_until(self, session_id: str, now: datetime) -> datetime | None:
        """Return until when the session's oldest message is put off, if it is: the others wait behind it."""
        rows = await self._database.fetch(
            "SELECT not_before FROM inbox WHERE session_id = ? AND state = 'open' ORDER BY seq LIMIT 1", (session_id,)
        )
        return from_micros(rows[0][0]) if rows and rows[0][0] > to_micros(now) else None

    async def call_off(self, session_id: str, source: Source | None = None) -> CalledOff | None:
        """Write down that what is open in a session, or there from one source, is begun now and ends at once."""
        return await self._database.complete(lambda connection: _call_off(connection, session_id, source))

    async def begin(
        self, session_id: str, now: datetime, *, alone: bool = False, joining: Joining | None = None
    ) -> Turn | None:
        """Open the session's oldest message as a turn and count the attempt; None if nothing may begin now.

        A message that was begun twice and never ended is opened only `alone`; else the turn is merely a `suspect`,
        and nothing was counted. With `joining`, what waits behind it joins its opening.
        """
        opened = self._opened.pop(session_id, None)
        if opened is not None and not alone and joining is None:
            return opened
        turn = await self._database.complete(
            lambda connection: begin(connection, session_id, now, alone=alone, joining=joining)
        )
        # Asked for before its acceptance was told of: then it was begun twice, and this is the turn.
        if turn is not None and (opened := self._opened.get(session_id)) is not None and opened.seq == turn.seq:
            del self._opened[session_id]
        return turn

    async def overtaken(self, turn: Turn) -> bool:
        """Return whether a message that came from the turn's own source after it waits."""
        return await joined.overtaken(self._database, turn)

    async def release(self, turn: Turn) -> None:
        """Put a turn back unharmed: the daemon stops. Its attempt is not counted."""
        await self._database.complete(
            lambda connection: connection.execute(
                "UPDATE inbox SET attempts = attempts - 1 WHERE seq = ? AND state = 'open'", (turn.seq,)
            )
        )

    async def bury(self, turn: Turn, *, error: str, notice: Reply | None) -> None:
        """Set a message aside for good: it is kept, shown, and begun again only by hand."""

        def unit(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE inbox SET state = 'dead', error = ?, failure = ? WHERE seq = ?", (error, POISON, turn.seq)
            )
            connection.execute("UPDATE turns SET state = 'failed' WHERE seq = ?", (turn.seq,))
            joined.release(connection, turn.seq)
            if notice is not None:
                outbox.reply(connection, notice)

        await self._database.complete(unit)

    async def defer(
        self,
        turn: Turn,
        *,
        until: datetime,
        why: str,
        kind: str = "Parked",
        notice: Reply | None,
        refusal: Refusal | None = None,
    ) -> bool:
        """Park a turn until `until`; its steps stay. `notice` tells the user why; return whether it is on its way."""
        budget, tag = (refusal.budget, refusal.tag) if refusal else (None, None)

        def unit(connection: sqlite3.Connection) -> bool:
            tell = notice is not None and not (refusal and refusals.told(connection, turn, refusal))
            connection.execute(
                "UPDATE inbox SET not_before = ?, attempts = 0, error = ?, failure = ?, waits_for = ?, refusal = ? WHERE seq = ?",
                (to_micros(until), why, kind, budget, tag, turn.seq),
            )
            connection.execute("UPDATE turns SET state = 'parked' WHERE seq = ?", (turn.seq,))
            if notice is not None and tell:
                outbox.reply(connection, notice)
            return tell

        return await self._database.complete(unit)


def _call_off(connection: sqlite3.Connection, session_id: str, source: Source | None) -> CalledOff | None:
    whose = str(source) if source is not None else None
    seqs = frozenset(seq for (seq,) in connection.execute(_CALL_OFF, (session_id, whose)).fetchall())
    if not seqs:
        return None
    (first,) = connection.execute(_OLDEST, (session_id,)).fetchone()
    _, event = decode_event(connection.execute(_EVENT, (first,)).fetchone())
    assert isinstance(event, InboundEvent | DispatchEvent)
    return CalledOff(oldest=event, seqs=seqs)


def accept_and_begin(connection: sqlite3.Connection, arrival: Arrival, *, limit: int) -> tuple[Acceptance, Turn | None]:
    """Accept a message; begin it too if it is for the agent that was asked and the only one open in its session."""
    acceptance = accept(connection, arrival, limit=limit)
    event = acceptance.event
    if acceptance.duplicate or event.agent_id != arrival.agent_id:
        return acceptance, None
    (first,) = connection.execute(_OLDEST, (event.session_id,)).fetchone()
    if first != acceptance.seq:
        return acceptance, None
    connection.execute(_COUNT, (acceptance.seq,))
    connection.execute(_START, (acceptance.seq, to_micros(arrival.at)))
    return acceptance, Turn(seq=acceptance.seq, event=event, attempts=1, opening=None)


def begin(
    connection: sqlite3.Connection,
    session_id: str,
    now: datetime,
    *,
    alone: bool = False,
    joining: Joining | None = None,
) -> Turn | None:
    """Count the attempt and read back what earlier ones recorded."""
    row = connection.execute(_NEXT, (session_id,)).fetchone()
    moment = to_micros(now)
    if row is None or row[1] > moment:
        return None
    attempts, _, state, opening, called_off, has_company, *columns = row
    seq, event = decode_event(tuple(columns))
    assert isinstance(event, InboundEvent | DispatchEvent)
    if attempts >= SUSPECT and not alone:
        return Turn(seq=seq, event=event, attempts=attempts, opening=None, suspect=True)
    connection.execute(_COUNT, (seq,))
    if state is None:
        connection.execute(_START, (seq, moment))
    elif state != "running":
        connection.execute("UPDATE turns SET state = 'running' WHERE seq = ?", (seq,))
    steps = recorded_steps(connection, seq) if opening else []
    if alone:  # it, or what joined it since it last got on, may be what kills the daemon
        joined.release(connection, seq, from_step=len(steps))
    elif joining is not None and opening is None and not called_off:
        has_company = bool(joined.take_in(connection, event, joining, turn=seq, step=0)) or has_company
    return Turn(
        seq=seq,
        event=event,
        attempts=attempts + 1,
        opening=Message.from_json("user", opening) if opening else None,
        steps=steps,
        alone=alone,
        called_off=bool(called_off),
        again=state is not None,
        joined=joined.company_of(connection, seq) if has_company else (),
        # Not by the turn's state, which a crash leaves at "running": its user would be told again.
        parked=state is not None and connection.execute(_TOLD, (event.id,)).fetchone() is not None,
    )
