"""The instants of jobs, in SQL: units of work on a plain connection.

Promises that an instant's row and the message that it sends are one fact, that an instant has one row whatever the
clock does, and that a job's turns never overlap. Knows no schedule and no clock.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

from picklebot.errors import NotFound, QueueFull
from picklebot.store.arrivals import accept
from picklebot.store.base.jobs import Claimed, Firing, InstantReport, Progress, Row, Stage, Verdict
from picklebot.store.codec import from_micros, to_micros

WAITS = "it waits until the turn before it has ended"
_INSERT = """INSERT INTO instants (job, wall, at, stage, reason, late, by_hand) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (job, wall) DO NOTHING"""
# A job's turns never overlap, so only its last message can still be open.
_RUNS = """SELECT inbox.state = 'open' FROM instants JOIN inbox ON inbox.seq = event
    WHERE job = ? AND stage IN ('fired', 'late', 'failed') ORDER BY instants.seq DESC LIMIT 1"""
_HELD = """SELECT count(*), coalesce(sum(stage = 'gating'), 0) FROM instants
    WHERE job = ? AND stage IN ('gating', 'waiting')"""
HISTORY = """SELECT job, wall, at, stage, reason, late, events.id, inbox.state, inbox.error, inbox.not_before
    FROM instants LEFT JOIN inbox ON inbox.seq = event LEFT JOIN events ON events.seq = event
    WHERE job = ? ORDER BY instants.seq DESC LIMIT ?"""


def claim(connection: sqlite3.Connection, firing: Firing, *, limit: int) -> Claimed:
    """Make the row of an instant and accept its message, both or neither; or make the row that says why not."""
    if firing.progress is not None:
        advance(connection, firing.job_id, firing.progress)
    found = connection.execute(
        "SELECT stage, reason FROM instants WHERE job = ? AND wall = ?", (firing.job_id, firing.wall)
    ).fetchone()
    if found is not None:
        return Claimed(stage=found[0], reason=found[1], again=True)
    stage, reason = _decide(connection, firing)
    by_hand = firing.progress is None
    row = (firing.job_id, firing.wall, to_micros(firing.at), stage or "fired", reason, firing.late, by_hand)
    seq = connection.execute(_INSERT, row).lastrowid
    assert seq is not None
    return Claimed(stage=stage, reason=reason) if stage else _send(connection, firing, seq, limit)


def fire(connection: sqlite3.Connection, firing: Firing, *, limit: int) -> Claimed:
    """Let an instant that is held send its message, if nothing of its job runs."""
    found = connection.execute(
        "SELECT seq, stage, by_hand FROM instants WHERE job = ? AND wall = ? AND stage IN ('gating', 'waiting')",
        (firing.job_id, firing.wall),
    ).fetchone()
    if found is None:
        return Claimed(stage="unknown", again=True)
    seq, stage, by_hand = found
    _, gating = connection.execute(_HELD, (firing.job_id,)).fetchone()
    if runs(connection, firing.job_id) or (gating and stage == "waiting"):
        return _end(connection, seq, "waiting", firing.reason)
    if (why := paused(connection, firing.job_id)) is not None and not by_hand:
        return _end(connection, seq, "skipped", f"the job is paused: {why}")
    if stage == "waiting" and firing.gated:
        return _end(connection, seq, "gating", firing.reason)
    return _send(connection, firing, seq, limit)


def account(connection: sqlite3.Connection, job_id: str, rows: Sequence[Row]) -> int:
    """Make rows of instants that send nothing; return how many had none before."""
    found = [(job_id, row.wall, to_micros(row.at), row.stage, row.reason, 0, 0) for row in rows]
    return connection.executemany(_INSERT, found).rowcount


def advance(connection: sqlite3.Connection, job_id: str, progress: Progress) -> None:
    """Say how far a job is accounted for."""
    moments = (progress.through, progress.next, progress.due)
    through, following, due = (to_micros(moment) if moment is not None else None for moment in moments)
    connection.execute(
        "UPDATE jobs SET through = ?, next = ?, due = ? WHERE id = ?",
        (through, following, due, job_id),
    )


def runs(connection: sqlite3.Connection, job_id: str) -> bool:
    """Return whether the job's last turn has not ended."""
    row = connection.execute(_RUNS, (job_id,)).fetchone()
    return row is not None and bool(row[0])


def paused(connection: sqlite3.Connection, job_id: str) -> str | None:
    """Return why a job is paused; None if it is not."""
    row = connection.execute("SELECT paused FROM jobs WHERE id = ?", (job_id,)).fetchone()
    return row[0] if row else None


def report(row: tuple[Any, ...]) -> InstantReport:
    """Return an instant as people read it, from a row of `HISTORY`."""
    job, wall, at, stage, reason, late, event, state, error, not_before = row
    verdict, words, still = _verdict(stage, reason, late=bool(late), state=state, error=error, parked=bool(not_before))
    return InstantReport(
        job_id=job, wall=wall, at=from_micros(at), verdict=verdict, reason=words, event_id=event, open=still
    )


def _decide(connection: sqlite3.Connection, firing: Firing) -> tuple[Stage | None, str]:
    """Return what keeps an instant from being begun now, and why; None if nothing does."""
    if firing.progress is not None and (why := paused(connection, firing.job_id)) is not None:
        return "skipped", f"the job is paused: {why}"
    held, gating = connection.execute(_HELD, (firing.job_id,)).fetchone()
    if held or runs(connection, firing.job_id):
        if firing.stand_by or (firing.overlap == "queue" and held == gating):
            return "waiting", firing.reason
        if firing.overlap == "queue":
            return "skipped", "another one waits already for the turn before it to end"
        what = "gate is still being asked" if gating else "turn has not ended"
        return "skipped", f"its last {what}"
    return ("gating", firing.reason) if firing.gated else (None, firing.reason)


def _send(connection: sqlite3.Connection, firing: Firing, seq: int, limit: int) -> Claimed:
    try:
        acceptance = accept(connection, firing.arrival, limit=limit)
    except NotFound:
        words = f"there is no session {firing.arrival.session_id!r}, in which it is to run"
        return _end(connection, seq, "failed", words)
    except QueueFull as exc:
        return _end(connection, seq, "skipped", str(exc))
    stage: Stage = "late" if firing.late else "fired"
    connection.execute(
        "UPDATE instants SET stage = ?, reason = ?, event = ? WHERE seq = ?",
        (stage, firing.reason, acceptance.seq, seq),
    )
    if firing.ends:
        connection.execute("UPDATE jobs SET over = 1, next = NULL, due = NULL WHERE id = ?", (firing.job_id,))
    return Claimed(stage=stage, reason=firing.reason, event=acceptance.event)


def _end(connection: sqlite3.Connection, seq: int, stage: Stage, reason: str) -> Claimed:
    connection.execute("UPDATE instants SET stage = ?, reason = ? WHERE seq = ?", (stage, reason, seq))
    return Claimed(stage=stage, reason=reason)


def _verdict(
    stage: Stage, reason: str, *, late: bool, state: str | None, error: str | None, parked: bool
) -> tuple[Verdict, str, bool]:
    begun: Verdict = "late" if late else "ran"
    match stage:
        case "gating":
            return "unknown", "its gate is being asked", True
        case "waiting":
            return begun, f"{reason}; {WAITS}" if reason else WAITS, True
        case "fired" | "late":
            if state in {"failed", "dead"}:
                return "failed", error or "its turn failed", False
            if state == "open":
                words = "its turn waits to go on" if parked else "its turn has not ended"
                return begun, f"{reason}; {words}" if reason else words, True
            return begun, reason, False
        case _:
            return stage, reason, False
