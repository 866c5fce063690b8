"""What is shown of conversations, in SQL.

Promises that a compaction is in force with the model call that wrote it, or neither is there. Knows no model.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, cast

from picklebot.core.compaction import Begun, Compaction, Digest, Why
from picklebot.core.journal import RecordedStep
from picklebot.core.messages import ToolResult
from picklebot.store.base import CompactionReport, Sight, Turn
from picklebot.store.codec import decode_result, dumps, from_micros, to_micros
from picklebot.store.database import Database
from picklebot.store.steps import lowest_step, recorded_steps
from picklebot.store.turns import insert_step

# Where the turn that a compaction was made in has ended, its messages have a place among all others.
_SIGHT = """SELECT turn, before, within, trimmed, digest,
        (SELECT count(*) FROM transcript WHERE session_id = ?1 AND transcript.turn = compactions.turn),
        (SELECT state = 'open' FROM inbox WHERE seq = turn), ended_at
    FROM compactions WHERE session_id = ?1 AND state = 'done' ORDER BY id DESC LIMIT 1"""
_LAST_STEP = """SELECT input_tokens + cache_read + cache_write + output_tokens, at FROM steps
    WHERE turn = (SELECT turn FROM transcript WHERE session_id = ? ORDER BY n DESC LIMIT 1) AND n >= 0
    ORDER BY n DESC LIMIT 1"""
_PENDING = """SELECT id, step, keep, before, within, trimmed FROM compactions
    WHERE session_id = ? AND turn = ? AND state = 'begun' ORDER BY id DESC LIMIT 1"""
_ALL = """SELECT id, why, state, begun_at, turn, before, within, trimmed, digest FROM compactions
    WHERE session_id = ? ORDER BY id"""
_UNFINISHED = "SELECT EXISTS (SELECT 1 FROM compactions WHERE session_id = ? AND state = 'begun')"
_SPENT = "SELECT coalesce(sum(cost_usd), 0.0) FROM steps WHERE turn = ? AND n < 0"
# What was cut short is of a turn that has ended, or of the one that cut it short.
_RESULT = """SELECT result FROM calls WHERE call_id = ?1 AND result IS NOT NULL
    AND turn IN (SELECT turn FROM transcript WHERE session_id = ?2 UNION SELECT turn FROM compactions WHERE session_id = ?2)
    ORDER BY turn DESC, step DESC LIMIT 1"""


class SqliteCompactions:
    """The table of compactions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sight(self, session_id: str) -> Sight:
        """Return how a session is shown."""
        rows = await self._database.fetch(_SIGHT, (session_id,))
        counted = await self._database.fetch(_LAST_STEP, (session_id,))
        tokens, counted_at = counted[0] if counted else (0, 0)
        unfinished = bool((await self._database.fetch(_UNFINISHED, (session_id,)))[0][0])
        if not rows:
            return Sight(tokens=tokens, unfinished=unfinished)
        *columns, ended, running, at = rows[0]
        compaction = _compaction(columns)
        if ended or not running:
            before = compaction.before + min(compaction.within, ended)
            compaction = replace(compaction, before=before, within=0)
        return Sight(compaction=compaction, tokens=tokens if counted_at > at else 0, unfinished=unfinished)

    async def spent(self, turn: Turn) -> float:
        """Return what a turn has spent on model calls that are no part of its conversation, in USD."""
        rows = await self._database.fetch(_SPENT, (turn.seq,))
        return float(rows[0][0])

    async def pending(self, turn: Turn) -> Begun | None:
        """Return the compaction that a turn has begun and not ended."""
        rows = await self._database.fetch(_PENDING, (turn.event.session_id, turn.seq))
        if not rows:
            return None
        found, step, keep, before, within, trimmed = rows[0]
        draft = _compaction([turn.seq, before, within, trimmed, None])
        steps = await self._database.write(lambda connection: recorded_steps(connection, turn.seq, below_zero=True))
        return Begun(id=found, step=step, keep=keep, draft=draft, steps={each.n: each for each in steps})

    async def begin(self, turn: Turn, draft: Compaction, *, why: Why, keep: str, at: datetime) -> Begun:
        """Record what is about to be covered."""
        moment = to_micros(at)

        def unit(connection: sqlite3.Connection) -> Begun:
            step = lowest_step(connection, turn.seq) - 1
            (found,) = connection.execute(
                "INSERT INTO compactions (session_id, turn, step, why, keep, before, within, trimmed, state, begun_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'begun', ?) RETURNING id",
                (
                    *(turn.event.session_id, turn.seq, step, why, keep),
                    *(draft.before, draft.within, dumps(dict(draft.trimmed)), moment),
                ),
            ).fetchone()
            return Begun(id=found, step=step, keep=keep, draft=draft)

        return await self._database.complete(unit)

    async def finish(
        self, turn: Turn, begun: Begun, compaction: Compaction, step: RecordedStep | None, *, at: datetime
    ) -> None:
        """Put a compaction in force, with the model call that it ends with."""
        digest = dumps(asdict(compaction.digest)) if compaction.digest else None
        await self._end(turn, begun, step, state="done", digest=digest, at=at)

    async def give_up(self, turn: Turn, begun: Begun, step: RecordedStep | None, *, at: datetime) -> None:
        """End a compaction that changes nothing."""
        await self._end(turn, begun, step, state="void", digest=None, at=at)

    async def count(self, turn: Turn, step: RecordedStep, *, at: datetime) -> None:
        """Record a model call that is of no use."""

        def unit(connection: sqlite3.Connection) -> None:
            below = replace(step, n=lowest_step(connection, turn.seq) - 1)
            insert_step(connection, turn.seq, below, to_micros(at))

        await self._database.complete(unit)

    async def of_session(self, session_id: str) -> Sequence[CompactionReport]:
        """Return every compaction of a session, oldest first."""
        rows = await self._database.fetch(_ALL, (session_id,))
        return [
            CompactionReport(
                id=found,
                turn=columns[0],
                why=why,
                state=state,
                compaction=_compaction(columns),
                at=from_micros(at),
            )
            for found, why, state, at, *columns in rows
        ]

    async def result(self, session_id: str, call_id: str) -> ToolResult | None:
        """Return what came of a call; None: nothing is known of it."""
        rows = await self._database.fetch(_RESULT, (call_id, session_id))
        return decode_result(rows[0][0]) if rows else None

    async def _end(
        self, turn: Turn, begun: Begun, step: RecordedStep | None, *, state: str, digest: str | None, at: datetime
    ) -> None:
        moment = to_micros(at)

        def unit(connection: sqlite3.Connection) -> None:
            if step is not None:
                insert_step(connection, turn.seq, step, moment)
            connection.execute(
                "UPDATE compactions SET state = ?, digest = ?, ended_at = ? WHERE id = ?",
                (state, digest, moment, begun.id),
            )

        await self._database.complete(unit)


def _compaction(columns: Sequence[Any]) -> Compaction:
    turn, before, within, trimmed, digest = columns
    return Compaction(
        turn=turn,
        before=before,
        within=within,
        trimmed=json.loads(trimmed),
        digest=_digest(json.loads(digest)) if digest else None,
    )


def _digest(given: Mapping[str, Any]) -> Digest:
    return Digest(
        summary=given["summary"],
        said=tuple(cast("list[str]", given["said"])),
        left_out=given["left_out"],
        names=tuple(cast("list[str]", given["names"])),
    )
