"""Judges a database after a crash, by its tables alone.

Promises to find an acknowledged fact that is gone and a transaction that is half there. Knows no worker.
"""

import sqlite3
from collections.abc import Coroutine, Iterator
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

from picklebot.store.database import PlainDatabase
from picklebot.store.sqlite import SqliteStore

T = TypeVar("T")
Fact: TypeAlias = tuple[Any, ...]

#: What stays true once it was true: everything that an await of the store promises.
FACTS = {
    "accepted": "SELECT key, id FROM inbox JOIN events USING (seq)",
    "begun": "SELECT seq FROM turns",
    "step": "SELECT turn, n FROM steps",
    "started": "SELECT turn, step, call_id FROM calls WHERE state != 'planned'",
    "settled": "SELECT turn, step, call_id FROM calls WHERE state IN ('done', 'failed', 'unknown') AND result NOT NULL",
    "finished": "SELECT seq FROM turns JOIN inbox USING (seq) WHERE turns.state = 'done' AND inbox.state = 'done'",
    "claimed": "SELECT seq FROM outbox WHERE attempts > 0",
    "acked": "SELECT seq FROM outbox WHERE state = 'acked' AND receipt NOT NULL",
}

#: Each finds what one transaction would have left apart.
BROKEN = {
    "an accepted message has no inbox row": """
        SELECT seq FROM events WHERE kind = 'InboundEvent' EXCEPT SELECT seq FROM inbox""",
    "a message is in no session": "SELECT session_id FROM inbox EXCEPT SELECT id FROM sessions",
    "a turn and its message disagree": """
        SELECT seq FROM turns JOIN inbox USING (seq)
        WHERE (turns.state IN ('done', 'failed', 'stopped')) != (inbox.state != 'open')""",
    "a message is finished and has no reply": """
        WITH RECURSIVE waits (seq) AS (SELECT seq FROM inbox WHERE state = 'open'
            UNION SELECT joined.seq FROM joined JOIN waits ON joined.turn = waits.seq)
        SELECT seq FROM inbox JOIN events AS asked USING (seq) WHERE seq NOT IN (SELECT seq FROM waits) AND NOT EXISTS
        (SELECT 1 FROM events AS reply JOIN outbox USING (seq) WHERE reply.cause_id = asked.id
            OR asked.id IN (SELECT value FROM json_each(reply.body, '$.also')))""",
    "a message joined a turn and ends without it": """
        SELECT joined.seq FROM joined JOIN inbox USING (seq) JOIN inbox AS own ON own.seq = joined.turn
        WHERE step IS NOT NULL AND inbox.state != own.state""",
    "a message joined a turn and has one of its own": """
        SELECT seq FROM joined JOIN turns USING (seq) WHERE step IS NOT NULL""",
    "a reply has no outbox row": """
        SELECT seq FROM events WHERE kind = 'OutboundEvent' EXCEPT SELECT seq FROM outbox""",
    "a finished turn has no transcript": """
        SELECT seq FROM turns WHERE state = 'done' EXCEPT SELECT turn FROM transcript""",
    "a transcript has words of an unfinished turn": """
        SELECT turn FROM transcript EXCEPT SELECT seq FROM turns WHERE state IN ('done', 'failed', 'stopped')""",
    "a session has miscounted its turns": """
        SELECT id FROM sessions WHERE turns != (SELECT count(*) FROM turns JOIN inbox USING (seq) WHERE session_id = id
        AND inbox.state != 'dead' AND turns.state IN ('done', 'failed', 'stopped'))""",
    "a step has calls and its turn no opening": """
        SELECT seq FROM calls JOIN turns ON seq = turn WHERE opening IS NULL""",
    "a step and its calls disagree": """
        SELECT turn, n FROM steps WHERE
        (SELECT count(*) FROM json_each(blocks) WHERE json_extract(value, '$.type') = 'tool_use')
        != (SELECT count(*) FROM calls WHERE calls.turn = steps.turn AND calls.step = steps.n)""",
    "the log has a gap": "SELECT max(seq) FROM events HAVING max(seq) != count(*)",
    "a foreign key leads nowhere": "PRAGMA foreign_key_check",
    "the database is damaged": "SELECT * FROM pragma_integrity_check WHERE integrity_check != 'ok'",
}


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that waits for nothing, as those over a `PlainDatabase` do."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    coroutine.close()
    raise RuntimeError(f"{coroutine!r} waited for something")


def facts(connection: sqlite3.Connection) -> set[Fact]:
    """Return every fact that the database holds."""
    return {(name, *row) for name, sql in FACTS.items() for row in connection.execute(sql)}


def complaints(connection: sqlite3.Connection) -> Iterator[str]:
    """Find what is half done, and what the ledger does not account for."""
    for words, sql in BROKEN.items():
        if rows := connection.execute(sql).fetchall():
            yield f"{words}: {rows[:3]}"
    counts = run(SqliteStore.over(PlainDatabase(connection)).ledger.counts())
    if counts.accepted != counts.done + counts.failed + counts.dead + counts.open:
        yield f"the ledger does not add up: {counts}"


def goes_on(connection: sqlite3.Connection, now: datetime) -> Iterator[str]:
    """Find what a restarted daemon could not go on from, by recovering and beginning everything that is open."""
    store = SqliteStore.over(PlainDatabase(connection))
    sending = connection.execute("SELECT seq FROM outbox WHERE state = 'sending'").fetchall()
    run(store.outbox.recover())
    if sending != connection.execute("SELECT seq FROM outbox WHERE state = 'pending' AND unknown").fetchall():
        yield f"not every reply that was being sent is marked as maybe delivered: {sending}"
    for session_id, _ in run(store.inbox.due(now, limit=1000)):
        turn = run(store.inbox.begin(session_id, now))
        if turn is None:
            yield f"session {session_id} has an open message that cannot be begun"
            continue
        recorded = connection.execute("SELECT count(*) FROM steps WHERE turn = ?", (turn.seq,)).fetchone()[0]
        if len(turn.steps) != recorded:
            yield f"turn {turn.seq} has {recorded} steps and goes on from {len(turn.steps)}"
