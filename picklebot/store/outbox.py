"""Replies from the end of their turn to the platform's receipt, in SQL.

Promises that a peer's replies leave in order, one at a time, and that an attempt is counted before it is made.
Knows no channel.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from picklebot.core.events import DispatchResultEvent, OutboundEvent, Reply
from picklebot.core.source import Source
from picklebot.store.base import OutboxRow, Quay
from picklebot.store.codec import EVENT_COLUMNS, decode_event, from_micros, to_micros
from picklebot.store.database import Database
from picklebot.store.departures import Departures
from picklebot.store.events import append

_EVENTS = ", ".join(f"events.{column}" for column in EVENT_COLUMNS.split(", "))
# SQLite takes bare columns from the row that holds the minimum, so each peer's oldest row speaks for it.
_HEADS = """SELECT min(seq) AS seq, state, not_before, peer, count(*) > 1 AS more FROM outbox
    WHERE channel = ? AND state IN ('pending', 'sending') GROUP BY peer"""
_CLAIMABLE = f"""SELECT heads.peer, heads.more, outbox.attempts, outbox.unknown, outbox.since, {_EVENTS}
    FROM ({_HEADS}) AS heads JOIN outbox USING (seq) JOIN events USING (seq)
    WHERE heads.state = 'pending' AND heads.not_before <= ? ORDER BY seq LIMIT ?"""  # noqa: S608

_CLAIM = "UPDATE outbox SET state = 'sending', attempts = attempts + 1 WHERE seq = ?"
_PUT_OFF = """UPDATE outbox SET state = 'pending', not_before = ?, error = ?, unknown = max(unknown, ?)
    WHERE seq = ? AND state = 'sending'"""
_NOTHING_AHEAD = "SELECT 1 FROM outbox WHERE channel = ? AND peer = ? AND state IN ('pending', 'sending') LIMIT 1"
_WAITING = f"""SELECT {_EVENTS} FROM outbox JOIN events USING (seq)
    WHERE outbox.channel = ? AND peer = ? AND state IN ('pending', 'sending') ORDER BY seq"""  # noqa: S608
_SHOWN = """UPDATE outbox SET state = 'acked', receipt = 'shown', error = NULL, settled_at = ?
    WHERE seq = (SELECT seq FROM events WHERE id = ?) AND peer = ? AND state != 'acked'"""


class SqliteOutbox:
    """The outbox table."""

    def __init__(self, database: Database, departures: Departures | None = None) -> None:
        self._database = database
        self._departures = departures or Departures()

    def open(self, channel: str, quay: Quay) -> None:
        """Let the ends of turns claim their replies for `channel`, where `quay` has a place."""
        self._departures.open(channel, quay)

    def close(self) -> None:
        """Let none be claimed by the end of a turn any more."""
        self._departures.close()

    def claimed(self, event_id: str) -> OutboxRow | None:
        """Return a reply that the end of its turn has claimed, once: whoever asks must send it."""
        return self._departures.take(event_id)

    async def recover(self) -> int:
        """Make what was being sent when the daemon died due again, marked as maybe delivered; return how many."""
        return await self._database.complete(
            lambda connection: (
                connection.execute("UPDATE outbox SET state = 'pending', unknown = 1 WHERE state = 'sending'").rowcount
            )
        )

    async def claim(self, channel: str, now: datetime, *, limit: int, busy: Sequence[str] = ()) -> list[OutboxRow]:
        """Take each peer's oldest unacknowledged reply, mark it as being sent and count the attempt."""
        return await self._database.complete(lambda connection: claim(connection, channel, now, limit, busy))

    async def next_due(self, channel: str) -> datetime | None:
        """Return when the next reply of a channel may be tried; None if none waits."""
        rows = await self._database.fetch(
            f"SELECT min(not_before) FROM ({_HEADS}) WHERE state = 'pending'",  # noqa: S608
            (channel,),
        )
        return from_micros(rows[0][0]) if rows[0][0] is not None else None

    async def ack(self, row: OutboxRow, *, receipt: str, at: datetime) -> None:
        """The platform has it, and so has what showed its beginning become it."""

        def unit(connection: sqlite3.Connection) -> None:
            _settle(connection, row, "acked", at=at, receipt=receipt, error=None)
            if row.event.takes_draft:
                connection.execute("DELETE FROM drafts WHERE cause_id = ?", (row.event.cause_id,))

        await self._database.complete(unit)

    async def reschedule(self, row: OutboxRow, *, not_before: datetime, error: str, unknown: bool = False) -> None:
        """Try again from `not_before`. `unknown`: this attempt may have arrived."""
        await self._database.complete(
            lambda connection: connection.execute(_PUT_OFF, (to_micros(not_before), error, unknown, row.seq))
        )

    async def bury(self, row: OutboxRow, *, error: str, at: datetime) -> None:
        """Give up: kept, shown, and retried by hand."""
        await self._database.complete(
            lambda connection: _settle(connection, row, "dead", at=at, receipt=None, error=error)
        )

    async def waiting(self, to: Source) -> list[OutboundEvent]:
        """Return the replies to `to` that nobody has acknowledged, oldest first."""
        rows = await self._database.fetch(_WAITING, (to.channel, str(to)))
        return [event for _, event in map(decode_event, rows) if isinstance(event, OutboundEvent)]

    async def shown(self, event_id: str, to: Source, *, at: datetime) -> None:
        """A person has read a reply; does nothing where it is not one to `to`, or was acknowledged before."""
        await self._database.complete(lambda connection: connection.execute(_SHOWN, (to_micros(at), event_id, str(to))))


def _settle(
    connection: sqlite3.Connection, row: OutboxRow, state: str, *, at: datetime, receipt: str | None, error: str | None
) -> None:
    connection.execute(
        "UPDATE outbox SET state = ?, receipt = ?, error = ?, settled_at = ? WHERE seq = ?",
        (state, receipt, error, to_micros(at), row.seq),
    )


def add(connection: sqlite3.Connection, event: OutboundEvent) -> int:
    """Log a reply and make it due, inside the caller's transaction; return its seq."""
    seq = append(connection, event)
    connection.execute(
        "INSERT INTO outbox (seq, channel, peer, state) VALUES (?, ?, ?, 'pending')",
        (seq, event.to.channel, str(event.to)),
    )
    return seq


def reply(connection: sqlite3.Connection, event: Reply) -> None:
    """Log what a turn has to say: to people through the outbox, to the agent that called as a result."""
    match event:
        case OutboundEvent():
            add(connection, event)
        case DispatchResultEvent():
            append(connection, event)
        case _:
            assert_never(event)


def send_off(
    connection: sqlite3.Connection, events: Sequence[Reply], at_once: Sequence[OutboundEvent]
) -> list[OutboxRow]:
    """Log what a turn has to say, and claim what may leave at once: where nothing of its peer is ahead of it."""
    claimed: list[OutboxRow] = []
    for event in events:
        if not isinstance(event, OutboundEvent) or event not in at_once:
            reply(connection, event)
            continue
        channel, peer = event.to.channel, str(event.to)
        first = connection.execute(_NOTHING_AHEAD, (channel, peer)).fetchone() is None
        seq = add(connection, event)
        if first:
            connection.execute(_CLAIM, (seq,))
            more = any(other is not event and _goes_to(other, event.to) for other in events)
            claimed.append(OutboxRow(seq=seq, event=event, attempts=1, since=event.created_at, more=more))
    return claimed


def _goes_to(event: Reply, to: Source) -> bool:
    return isinstance(event, OutboundEvent) and event.to == to


def claim(
    connection: sqlite3.Connection, channel: str, now: datetime, limit: int, busy: Sequence[str]
) -> list[OutboxRow]:
    """Mark what may leave now as being sent."""
    rows = connection.execute(_CLAIMABLE, (channel, to_micros(now), limit + len(busy))).fetchall()
    claimed: list[OutboxRow] = []
    for peer, more, attempts, unknown, since, *columns in rows:
        if peer in busy or len(claimed) == limit:
            continue
        seq, event = decode_event(tuple(columns))
        assert isinstance(event, OutboundEvent)
        connection.execute(_CLAIM, (seq,))
        began = event.created_at if since is None else from_micros(since)
        claimed.append(
            OutboxRow(seq=seq, event=event, attempts=attempts + 1, since=began, unknown=bool(unknown), more=bool(more))
        )
    return claimed
