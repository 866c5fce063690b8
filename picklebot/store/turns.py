"""The step journal, in SQL.

Promises that a step, a call's start and a call's result are on disk before the next thing happens, and that a turn
ends with its transcript, spend, inbox row and replies in one transaction. Knows no model and no tool.
"""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from picklebot.core.events import OutboundEvent
from picklebot.core.journal import CallState, PlannedCall, RecordedStep
from picklebot.core.marks import Marks, to_marks, to_words
from picklebot.core.messages import Message, ToolResult
from picklebot.core.text import shorten
from picklebot.store import audit, joined, outbox
from picklebot.store.base import Conclusion, Joined, Joining, OutboxRow, Turn
from picklebot.store.codec import dumps, encode_result, to_micros
from picklebot.store.database import Database
from picklebot.store.departures import Departures

_MORE = "SELECT EXISTS (SELECT 1 FROM inbox WHERE session_id = ? AND state = 'open')"
_INBOX_STATE = {"done": "done", "stopped": "done", "failed": "failed"}


class SqliteTurns:
    """The journal's tables."""

    def __init__(self, database: Database, departures: Departures | None = None) -> None:
        self._database = database
        self._departures = departures or Departures()

    async def record_step(
        self, turn: Turn, step: RecordedStep, calls: Sequence[PlannedCall], *, opening: Message, at: datetime
    ) -> None:
        """Record a model's reply, with its tool calls as intents; with the first step also the turn's opening."""
        moment = to_micros(at)

        def unit(connection: sqlite3.Connection) -> None:
            if step.n == 0:
                connection.execute("UPDATE turns SET opening = ? WHERE seq = ?", (opening.to_json(), turn.seq))
            insert_step(connection, turn.seq, step, moment)
            if turn.attempts > 1:  # it gets on: what crashed before was not this step
                connection.execute("UPDATE inbox SET attempts = 1 WHERE seq = ?", (turn.seq,))
            connection.executemany(
                "INSERT INTO calls (turn, step, call_id, tool, effect, input, state, planned_at) "
                "VALUES (?, ?, ?, ?, ?, ?, 'planned', ?)",
                [(turn.seq, step.n, c.call_id, c.tool, c.effect, dumps(c.input), moment) for c in calls],
            )

        await self._database.complete(unit)

    async def take_in(self, turn: Turn, step: int, joining: Joining) -> list[Joined]:
        """Let what waits in its session join a running turn, to be seen from `step` on; return what did."""
        if not await joined.any_waits(self._database, turn):
            return []  # a look is cheaper than a commit, and there is one before each step
        return await self._database.complete(
            lambda connection: joined.take_in(connection, turn.event, joining, turn=turn.seq, step=step)
        )

    async def start_call(self, turn: Turn, step: int, call_id: str, *, at: datetime) -> None:
        """Record that a call is about to have its effect."""
        await self._database.complete(
            lambda connection: connection.execute(
                "UPDATE calls SET state = 'started', started_at = ? WHERE turn = ? AND step = ? AND call_id = ?",
                (to_micros(at), turn.seq, step, call_id),
            )
        )

    async def record_result(self, turn: Turn, step: int, result: ToolResult, *, state: CallState, at: datetime) -> None:
        """Record what came of a call."""
        moment, call_id, encoded = to_micros(at), result.call_id, encode_result(result)

        def unit(connection: sqlite3.Connection) -> None:
            row = connection.execute(
                "UPDATE calls SET state = ?, result = ?, finished_at = ? WHERE turn = ? AND step = ? AND call_id = ? "
                "RETURNING tool, effect, state, input, result",
                (state, encoded, moment, turn.seq, step, call_id),
            ).fetchone()
            if row is not None:
                audit.append(connection, "call", audit.call_body(turn, step, call_id, row), moment)

        await self._database.complete(unit)

    async def finish(self, conclusion: Conclusion) -> bool:
        """End a turn: transcript, spend, inbox row and replies; return whether its session has more open."""
        at_once = self._departures.book(conclusion.outbound)
        claimed: list[OutboxRow] = []
        try:
            more, claimed = await self._database.complete(
                lambda connection: finish(connection, conclusion, at_once=at_once)
            )
        finally:
            self._departures.settle(at_once, claimed)
        return more


def finish(
    connection: sqlite3.Connection, conclusion: Conclusion, *, at_once: Sequence[OutboundEvent] = ()
) -> tuple[bool, list[OutboxRow]]:
    """The one transaction from which a reply survives anything; of those `at_once`, return what leaves at once."""
    turn, moment = conclusion.turn, to_micros(conclusion.at)
    session_id = turn.event.session_id
    if conclusion.last is not None:
        insert_step(connection, turn.seq, conclusion.last, moment)
    connection.execute(
        "UPDATE inbox SET state = ?, error = ?, failure = ? WHERE seq = ? AND state = 'open'",
        (_INBOX_STATE[conclusion.outcome], conclusion.error, conclusion.kind, turn.seq),
    )
    connection.execute(
        "UPDATE turns SET state = ?, finished_at = ? WHERE seq = ?", (conclusion.outcome, moment, turn.seq)
    )
    if conclusion.outcome != "done":  # it may have been cut in the middle of a call
        _give_up_calls(connection, turn, moment)
    if conclusion.joined is not None:
        joined.settle(connection, turn.seq, conclusion.joined)
    if conclusion.interrupted:
        joined.hand_over(connection, turn)
    # The session counts its messages, so that where the transcript goes on is known without a look at it.
    (count,) = connection.execute(
        "UPDATE sessions SET updated_at = ?, turns = turns + 1, messages = messages + ?, "
        "title = CASE title WHEN '' THEN ? ELSE title END WHERE id = ? RETURNING messages",
        (moment, len(conclusion.messages), shorten(turn.event.content, 60), session_id),
    ).fetchone()
    if conclusion.marks:
        _mark(connection, session_id, conclusion.marks)
    first = count - len(conclusion.messages)
    connection.executemany(
        "INSERT INTO transcript (session_id, n, turn, role, blocks) VALUES (?, ?, ?, ?, ?)",
        [
            (session_id, first + i, turn.seq, message.role, message.to_json())
            for i, message in enumerate(conclusion.messages)
        ],
    )
    claimed = outbox.send_off(connection, conclusion.outbound, at_once)
    (more,) = connection.execute(_MORE, (session_id,)).fetchone()
    return bool(more), claimed


def _give_up_calls(connection: sqlite3.Connection, turn: Turn, moment: int) -> None:
    """Say of what was started and has no result that nobody knows."""
    cut = connection.execute(
        "UPDATE calls SET state = 'unknown' WHERE turn = ? AND state = 'started' "
        "RETURNING step, call_id, tool, effect, state, input, result",
        (turn.seq,),
    ).fetchall()
    for step, call_id, *row in cut:
        audit.append(connection, "call", audit.call_body(turn, step, call_id, row), moment)


def _mark(connection: sqlite3.Connection, session_id: str, marks: Marks) -> None:
    """Add to what the conversation has read."""
    (held,) = connection.execute("SELECT marks FROM sessions WHERE id = ?", (session_id,)).fetchone()
    if (now := marks | to_marks(json.loads(held))) != to_marks(json.loads(held)):
        connection.execute("UPDATE sessions SET marks = ? WHERE id = ?", (json.dumps(to_words(now)), session_id))


def insert_step(connection: sqlite3.Connection, turn: int, step: RecordedStep, moment: int) -> None:
    """Write a model call down. One with a number below zero is no part of the conversation, and is paid for all the same."""
    reply, usage = step.reply, step.reply.usage
    connection.execute(
        "INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            turn,
            step.n,
            reply.message.to_json(),
            json.dumps(dict(reply.message.problems)),
            reply.stop_reason,
            reply.model,
            reply.request_id,
            usage.input_tokens,
            usage.output_tokens,
            usage.cache_read_tokens,
            usage.cache_write_tokens,
            step.cost_usd,
            moment,
        ),
    )
