"""Steps, tool calls and replies as they are reported: the values, and how rows become them.

Reads only. Knows no session, no chain and no format of output.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from picklebot.core.events import OutboundEvent
from picklebot.core.messages import Message, ToolResult
from picklebot.core.replies import ModelReply, Usage
from picklebot.store.codec import EVENT_COLUMNS, decode_event, decode_result, from_micros
from picklebot.store.database import Database, Row

EVENTS = ", ".join(f"events.{column}" for column in EVENT_COLUMNS.split(", "))
REPLY_COLUMNS = f"outbox.state, attempts, unknown, not_before, settled_at, receipt, error, {EVENTS}"
_STEPS = """SELECT turn, n, blocks, problems, stop_reason, model, request_id, input_tokens, output_tokens, cache_read,
    cache_write, cost_usd, at FROM steps WHERE turn IN ({turns}) AND n >= 0 ORDER BY turn, n"""
_CALLS = """SELECT turn, step, call_id, tool, effect, input, state, result, planned_at, started_at, finished_at
    FROM calls WHERE turn IN ({turns}) ORDER BY turn, step, call_id"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReport:
    """A tool call and what came of it. Only a call that changes something has a `started_at`."""

    call_id: str
    tool: str
    effect: str
    input: Any
    state: str
    result: ToolResult | None
    planned_at: datetime
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
    not_before: datetime | None
    settled_at: datetime | None
    receipt: str | None
    error: str | None


async def read_steps(database: Database, turns: str, parameters: Sequence[Any]) -> Mapping[int, list[StepReport]]:
    """Return the steps of each turn that the SELECT `turns` names, by its seq."""
    calls: dict[tuple[int, int], list[CallReport]] = {}
    for turn, step, *row in await database.fetch(_CALLS.format(turns=turns), parameters):
        calls.setdefault((turn, step), []).append(_call(row))
    steps: dict[int, list[StepReport]] = {}
    for turn, n, *row in await database.fetch(_STEPS.format(turns=turns), parameters):
        steps.setdefault(turn, []).append(_step(n, row, calls.get((turn, n), [])))
    return steps


def decode_reply(row: Row) -> ReplyReport:
    """Return a reply from a row of `REPLY_COLUMNS`."""
    state, attempts, unknown, not_before, settled_at, receipt, error, *columns = row
    seq, event = decode_event(tuple(columns))
    assert isinstance(event, OutboundEvent)
    return ReplyReport(
        seq=seq,
        event=event,
        state=state,
        attempts=attempts,
        unknown=bool(unknown),
        not_before=moment(not_before or None),
        settled_at=moment(settled_at),
        receipt=receipt,
        error=error,
    )


def moment(micros: int | None) -> datetime | None:
    """Return a moment that may be missing."""
    return None if micros is None else from_micros(micros)


def _call(row: list[Any]) -> CallReport:
    call_id, tool, effect, given, state, result, planned_at, started_at, finished_at = row
    return CallReport(
        call_id=call_id,
        tool=tool,
        effect=effect,
        input=json.loads(given),
        state=state,
        result=decode_result(result),
        planned_at=from_micros(planned_at),
        started_at=moment(started_at),
        finished_at=moment(finished_at),
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
