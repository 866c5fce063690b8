"""What people ask of the store: sessions with all their steps, the last events, what waits and what was set aside.

Reads only, so a command may use it beside a running daemon. Knows no format of output.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from picklebot.core.events import Event, InboundEvent, OutboundEvent
from picklebot.core.messages import Message, ToolResult
from picklebot.core.replies import ModelReply, Usage
from picklebot.store.codec import EVENT_COLUMNS, decode_event, decode_result, from_micros
from picklebot.store.database import Database, Row

_EVENTS = ", ".join(f"events.{column}" for column in EVENT_COLUMNS.split(", "))
_TURNS = f"""SELECT inbox.state, turns.state, inbox.attempts, inbox.error, turns.opening, {_EVENTS}
    FROM inbox JOIN events USING (seq) LEFT JOIN turns USING (seq) WHERE inbox.session_id = ? ORDER BY seq"""  # noqa: S608  (constants)
_STEPS = """SELECT turn, n, blocks, problems, stop_reason, model, request_id, input_tokens, output_tokens, cache_read,
    cache_write, cost_usd, at FROM steps JOIN inbox ON inbox.seq = turn WHERE session_id = ? ORDER BY turn, n"""
_CALLS = """SELECT turn, step, call_id, tool, effect, input, calls.state, result, started_at, finished_at
    FROM calls JOIN inbox ON inbox.seq = turn WHERE session_id = ? ORDER BY turn, step, call_id"""
_REPLIES = f"""SELECT outbox.state, attempts, unknown, receipt, error, {_EVENTS}
    FROM outbox JOIN events USING (seq)"""  # noqa: S608  (constants)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReport:
    """A tool call and what came of it."""

    call_id: str
    tool: str
    effect: str
    input: Any
    state: str
    result: ToolResult | None
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """A model's reply and the calls it asked for, in their order. `cost_usd` is None where no price is known."""

    n: int
    reply: ModelReply
    cost_usd: float | None
    at: datetime
    calls: Sequence[CallReport]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyReport:
    """A reply and how its delivery stands. `unknown`: an attempt may have arrived."""

    seq: int
    event: OutboundEvent
    state: str
    attempts: int
    unknown: bool
    receipt: str | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnReport:
    """An accepted message and all that came of it. `outcome` is None where no turn was begun, as for a command."""

    seq: int
    event: InboundEvent
    state: str
    outcome: str | None
    attempts: int
    error: str | None
    opening: Message | None
    steps: Sequence[StepReport]
    outbound: Sequence[ReplyReport]


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
        calls: dict[tuple[int, int], list[CallReport]] = {}
        for turn, step, *row in await self._database.fetch(_CALLS, (session_id,)):
            calls.setdefault((turn, step), []).append(_call(row))
        steps: dict[int, list[StepReport]] = {}
        for turn, n, *row in await self._database.fetch(_STEPS, (session_id,)):
            steps.setdefault(turn, []).append(_step(n, row, calls.get((turn, n), [])))
        replies: dict[str | None, list[ReplyReport]] = {}
        for columns in await self._database.fetch(f"{_REPLIES} WHERE session_id = ? ORDER BY seq", (session_id,)):
            reply = _reply(columns)
            replies.setdefault(reply.event.cause_id, []).append(reply)
        turns: list[TurnReport] = []
        for state, outcome, attempts, error, opening, *logged in await self._database.fetch(_TURNS, (session_id,)):
            seq, event = decode_event(tuple(logged))
            assert isinstance(event, InboundEvent)
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
                )
            )
        return turns


def _call(row: list[Any]) -> CallReport:
    call_id, tool, effect, given, state, result, started_at, finished_at = row
    return CallReport(
        call_id=call_id,
        tool=tool,
        effect=effect,
        input=json.loads(given),
        state=state,
        result=decode_result(result),
        started_at=_moment(started_at),
        finished_at=_moment(finished_at),
    )


def _step(n: int, row: list[Any], calls: list[CallReport]) -> StepReport:
    blocks, problems, stop_reason, model, request_id, read, written, cached, stored, cost_usd, at = row
    message = Message("assistant", tuple(json.loads(blocks)), json.loads(problems))
    order = {call.id: place for place, call in enumerate(message.calls())}
    return StepReport(
        n=n,
        reply=ModelReply(
            message=message,
            stop_reason=stop_reason,
            model=model,
            request_id=request_id,
            usage=Usage(input_tokens=read, output_tokens=written, cache_read_tokens=cached, cache_write_tokens=stored),
        ),
        cost_usd=cost_usd,
        at=from_micros(at),
        calls=sorted(calls, key=lambda call: order.get(call.call_id, len(order))),
    )


def _reply(row: Row) -> ReplyReport:
    state, attempts, unknown, receipt, error, *columns = row
    seq, event = decode_event(tuple(columns))
    assert isinstance(event, OutboundEvent)
    return ReplyReport(
        seq=seq,
        event=event,
        state=state,
        attempts=attempts,
        unknown=bool(unknown),
        receipt=receipt,
        error=error,
    )


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)
