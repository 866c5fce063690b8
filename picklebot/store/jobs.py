"""What is remembered of jobs, in SQL.

Promises that a pause outlives every change of a schedule, and that a job which fails too often is paused once. The
instants themselves are in `instants`. Knows no schedule and no clock.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from picklebot.core.events import OutboundEvent
from picklebot.core.source import Source
from picklebot.core.text import shorten
from picklebot.store import instants, outbox
from picklebot.store.base.jobs import Claimed, Firing, Held, InstantReport, JobState, Progress, Row, Stage, Tripped
from picklebot.store.codec import dumps, from_micros, to_micros
from picklebot.store.database import Database

_COLUMNS = "id, fingerprint, anchor, through, next, due, over, paused"
_ADOPT = """INSERT INTO jobs (id, fingerprint, anchor, through, next, due, over) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, anchor = excluded.anchor,
    through = excluded.through, next = excluded.next, due = excluded.due, over = excluded.over"""
_PAUSE = """INSERT INTO jobs (id, fingerprint, anchor, through, paused) VALUES (?, '', 0, 0, ?)
    ON CONFLICT (id) DO UPDATE SET paused = excluded.paused WHERE paused IS NULL"""
_RESUME = """UPDATE jobs SET paused = NULL, since = (SELECT coalesce(max(seq), 0) FROM instants WHERE job = jobs.id)
    WHERE id = ? AND paused IS NOT NULL"""
_LATEST = """SELECT stage, reason, inbox.state, inbox.error, events.id, events.session_id
    FROM instants LEFT JOIN inbox ON inbox.seq = event LEFT JOIN events ON events.seq = event
    WHERE job = ?1 AND stage IN ('fired', 'late', 'failed')
    AND instants.seq > coalesce((SELECT since FROM jobs WHERE id = ?1), 0) ORDER BY instants.seq DESC LIMIT ?2"""
_HELD = "SELECT job, wall, at, late, reason, by_hand, min(seq) FROM instants WHERE stage IN ('gating', 'waiting')"


class SqliteJobBook:
    """The tables of jobs and instants."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, *, after: str = "", limit: int = 1000) -> list[JobState]:
        """Return what is remembered of jobs whose id comes after `after`, by id."""
        rows = await self._database.fetch(
            f"SELECT {_COLUMNS} FROM jobs WHERE id > ? ORDER BY id LIMIT ?",  # noqa: S608  (constants)
            (after, limit),
        )
        return [_state(row) for row in rows]

    async def states(self, job_ids: Sequence[str]) -> list[JobState]:
        """Return what is remembered of these jobs."""
        rows = await self._database.fetch(
            f"SELECT {_COLUMNS} FROM jobs WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608
            (dumps(list(job_ids)),),
        )
        return [_state(row) for row in rows]

    async def soonest(self, limit: int) -> list[JobState]:
        """Return the jobs that are due next, soonest first, without those that are paused."""
        rows = await self._database.fetch(
            f"SELECT {_COLUMNS} FROM jobs WHERE next IS NOT NULL AND paused IS NULL ORDER BY next LIMIT ?",  # noqa: S608
            (limit,),
        )
        return [_state(row) for row in rows]

    async def adopt(self, states: Sequence[JobState]) -> None:
        """Remember jobs with new schedules. A pause stays as it was."""
        rows = [
            (s.id, s.fingerprint, to_micros(s.anchor), to_micros(s.through), _micros(s.next), _micros(s.due), s.over)
            for s in states
        ]
        await self._database.complete(lambda connection: connection.executemany(_ADOPT, rows))

    async def retire(self, job_ids: Sequence[str]) -> None:
        """Forget when jobs are due that are no more; should one come back, it begins anew. Its instants stay."""

        def unit(connection: sqlite3.Connection) -> None:
            ids = [(job_id,) for job_id in job_ids]
            connection.executemany("DELETE FROM jobs WHERE id = ? AND paused IS NULL", ids)
            connection.executemany(
                "UPDATE jobs SET fingerprint = '', next = NULL, due = NULL, over = 0 WHERE id = ?", ids
            )

        await self._database.complete(unit)

    async def account(self, job_id: str, rows: Sequence[Row], progress: Progress | None) -> int:
        """Write rows for instants that send nothing; those that have one already keep it. Return how many are new."""

        def unit(connection: sqlite3.Connection) -> int:
            if progress is not None:
                instants.advance(connection, job_id, progress)
            return instants.account(connection, job_id, rows)

        return await self._database.complete(unit)

    async def claim(self, firing: Firing, *, limit: int) -> Claimed:
        """Make an instant's row and accept its message, both or neither; or make the row that says why not."""
        return await self._database.complete(lambda connection: instants.claim(connection, firing, limit=limit))

    async def fire(self, firing: Firing, *, limit: int) -> Claimed:
        """Let an instant that is held send its message, if nothing of its job runs."""
        return await self._database.complete(lambda connection: instants.fire(connection, firing, limit=limit))

    async def settle(self, job_id: str, wall: str, *, stage: Stage, reason: str) -> None:
        """End an instant that is held, without a message."""
        await self._database.complete(
            lambda connection: connection.execute(
                "UPDATE instants SET stage = ?, reason = ? WHERE job = ? AND wall = ? "
                "AND stage IN ('gating', 'waiting')",
                (stage, reason, job_id, wall),
            )
        )

    async def waiting(self, job_id: str | None = None) -> list[Held]:
        """Return the oldest instant that waits, of a job or of each."""
        where, parameters = ("AND job = ?", [job_id]) if job_id is not None else ("", [])
        rows = await self._database.fetch(f"{_HELD} AND stage = 'waiting' {where} GROUP BY job", parameters)
        return [
            Held(job_id=job, wall=wall, at=from_micros(at), late=bool(late), reason=reason, by_hand=bool(by_hand))
            for job, wall, at, late, reason, by_hand, _ in rows
        ]

    async def recover(self, *, reason: str) -> int:
        """Call unknown what became of the instants whose gates were being asked; return how many."""
        return await self._database.complete(
            lambda connection: (
                connection.execute(
                    "UPDATE instants SET stage = 'unknown', reason = ? WHERE stage = 'gating'", (reason,)
                ).rowcount
            )
        )

    async def pause(self, job_id: str, why: str) -> bool:
        """Pause a job; return whether it was not paused before."""
        return await self._changed(_PAUSE, (job_id, why))

    async def resume(self, job_id: str) -> bool:
        """Let a job go on, its failures forgotten; return whether it was paused."""
        return await self._changed(_RESUME, (job_id,))

    async def trip(self, job_id: str, *, most: int, to: Source | None, at: datetime) -> Tripped | None:
        """Pause a job whose last `most` turns all failed, and tell `to`; None if it goes on, or is paused already."""
        return await self._database.complete(lambda connection: trip(connection, job_id, most, to, at))

    async def history(self, job_id: str, *, limit: int) -> list[InstantReport]:
        """Return a job's last instants, the newest last."""
        rows = await self._database.fetch(instants.HISTORY, (job_id, limit))
        return [instants.report(row) for row in reversed(rows)]

    async def _changed(self, sql: str, parameters: tuple[str, ...]) -> bool:
        return await self._database.complete(lambda connection: connection.execute(sql, parameters).rowcount > 0)


def trip(connection: sqlite3.Connection, job_id: str, most: int, to: Source | None, at: datetime) -> Tripped | None:
    """Pause a job that only fails, and put the word about it in the outbox, once."""
    latest = connection.execute(_LATEST, (job_id, most)).fetchall()
    if len(latest) < most or not all(
        stage == "failed" or state in {"failed", "dead"} for stage, _, state, *_ in latest
    ):
        return None
    _, reason, _, error, event_id, session_id = latest[0]
    why = f"it failed {most} times in a row, the last time because: {shorten(error or reason, 300)}"
    if not connection.execute(_PAUSE, (job_id, why)).rowcount:
        return None
    if to is None:
        return Tripped(why=why)
    name = job_id.partition(":")[2]
    words = f"I have paused the job {name}: {why}. `picklebot crons resume {name}` lets it go on."
    source = Source.parse(job_id)
    notice = OutboundEvent(
        session_id=session_id or "", source=source, to=to, cause_id=event_id, content=words, created_at=at
    )
    outbox.add(connection, notice)
    return Tripped(why=why, notice=notice)


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else to_micros(moment)


def _state(row: tuple[Any, ...]) -> JobState:
    job_id, fingerprint, anchor, through, following, due, over, paused = row
    return JobState(
        id=job_id,
        fingerprint=fingerprint,
        anchor=from_micros(anchor),
        through=from_micros(through),
        next=None if following is None else from_micros(following),
        due=None if due is None else from_micros(due),
        over=bool(over),
        paused=paused,
    )
