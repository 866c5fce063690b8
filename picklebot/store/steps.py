"""The recorded steps of a turn, read back from SQL. Knows no inbox and no end of a turn."""

import json
import sqlite3
from typing import Any

from picklebot.core.journal import RecordedCall, RecordedStep
from picklebot.core.messages import Message
from picklebot.core.replies import ModelReply, Usage
from picklebot.store.codec import decode_result

_STEPS = """SELECT n, blocks, problems, stop_reason, model, request_id, input_tokens, output_tokens, cache_read,
    cache_write, cost_usd FROM steps WHERE turn = ? AND (n < 0) = ? ORDER BY n"""
_LOWEST = """SELECT min(0, coalesce((SELECT min(n) FROM steps WHERE turn = ?1), 0),
    coalesce((SELECT min(step) - 1 FROM compactions WHERE turn = ?1), 0))"""


def lowest_step(connection: sqlite3.Connection, seq: int) -> int:
    """Return the lowest number that a model call of a turn has or may get: 0, or one below."""
    found: int = connection.execute(_LOWEST, (seq,)).fetchone()[0]
    return found


def recorded_steps(connection: sqlite3.Connection, seq: int, *, below_zero: bool = False) -> list[RecordedStep]:
    """Return what a turn has recorded, for another attempt to go on from.

    Those `below_zero` are model calls that are no part of the conversation.
    """
    calls: dict[int, dict[str, RecordedCall]] = {}
    for step, call_id, tool, state, result in connection.execute(
        "SELECT step, call_id, tool, state, result FROM calls WHERE turn = ?", (seq,)
    ):
        call = RecordedCall(step=step, call_id=call_id, tool=tool, state=state, result=decode_result(result))
        calls.setdefault(step, {})[call_id] = call
    return [_step(row, calls.get(row[0], {})) for row in connection.execute(_STEPS, (seq, below_zero))]


def _step(row: tuple[Any, ...], calls: dict[str, RecordedCall]) -> RecordedStep:
    n, blocks, problems, stop_reason, model, request_id, *tokens, cost_usd = row
    reply = ModelReply(
        message=Message("assistant", tuple(json.loads(blocks)), json.loads(problems)),
        stop_reason=stop_reason,
        model=model,
        request_id=request_id,
        usage=Usage(
            input_tokens=tokens[0], output_tokens=tokens[1], cache_read_tokens=tokens[2], cache_write_tokens=tokens[3]
        ),
    )
    return RecordedStep(n=n, reply=reply, cost_usd=cost_usd, calls=calls)
