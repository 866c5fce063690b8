"""What is left behind: a copy of the database, the platform's log, the model's log, the ledger of the tools.

Promises to read the database as any program could, with sqlite3 and no code of picklebot's, and never to touch the
daemon's own files: opening them would recover the log that the daemon itself must recover. Knows no verdict.
"""

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.crash.habits import Entry
from tests.crash.model import Asked

_INBOX = """SELECT inbox.seq, events.id, inbox.key, inbox.session_id, events.source, inbox.state, inbox.attempts,
    coalesce(json_extract(events.body, '$.content'), '') AS content
    FROM inbox JOIN events USING (seq) WHERE inbox.channel != 'agent' ORDER BY inbox.seq"""
_OUTBOX = """SELECT outbox.seq, events.id, events.cause_id, outbox.peer, outbox.state, outbox.attempts, outbox.unknown,
    coalesce(json_extract(events.body, '$.content'), '') AS content
    FROM outbox JOIN events USING (seq) ORDER BY outbox.seq"""
_TRANSCRIPT = "SELECT session_id, turn, role, blocks FROM transcript ORDER BY session_id, n"
_BUSY = """SELECT (SELECT count(*) FROM inbox WHERE state = 'open')
    + (SELECT count(*) FROM outbox WHERE state IN ('pending', 'sending'))"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A line of the ledger: a tool changed the world."""

    tool: str
    item: str
    key: str
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that an outsider can know. `ends` counts the daemon's lives by the status that each ended with."""

    database: Path
    platform: Sequence[Entry]
    asked: Sequence[Asked]
    ledger: Sequence[Effect]
    ends: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Received:
    """A row of the inbox, with its event."""

    seq: int
    id: str
    key: str
    session: str
    source: str
    state: str
    attempts: int
    content: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A row of the outbox, with its event."""

    seq: int
    id: str
    cause: str
    peer: str
    state: str
    attempts: int
    unknown: int
    content: str


@dataclass(frozen=True, slots=True)
class Said:
    """A row of the transcript."""

    session: str
    turn: int
    role: str
    blocks: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What the database says. `damage` is what SQLite finds wrong with the file, `counts` the totals by name."""

    received: Sequence[Received]
    sent: Sequence[Sent]
    said: Sequence[Said]
    damage: Sequence[str]
    counts: Mapping[str, int]


def read_records(database: Path) -> Records:
    """Read a copy of the database. One that was never made has no rows."""
    with opened_copy(database) as connection:
        if connection is None:
            return Records(received=[], sent=[], said=[], damage=[], counts={})
        damage = [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
        damage += [f"a broken reference: {row}" for row in connection.execute("PRAGMA foreign_key_check")]
        counts = dict(connection.execute("SELECT kind, count(*) FROM events GROUP BY kind").fetchall())
        counts |= dict(connection.execute("SELECT 'session ' || id, turns FROM sessions").fetchall())
        return Records(
            received=[Received(*row) for row in connection.execute(_INBOX)],
            sent=[Sent(*row) for row in connection.execute(_OUTBOX)],
            said=[Said(*row) for row in connection.execute(_TRANSCRIPT)],
            damage=damage,
            counts=counts,
        )


def busy_rows(database: Path) -> int:
    """Return how many messages and replies are open, read beside the daemon that lives; -1 if it cannot be read."""
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=1.0)) as connection:
            rows: int = connection.execute(_BUSY).fetchone()[0]
            return rows
    except sqlite3.OperationalError:  # not made yet, or just being made
        return -1


@contextmanager
def opened_copy(database: Path) -> Generator[sqlite3.Connection | None, None, None]:
    """Open a copy of the database of a daemon that is gone, and of its log; None where there are no tables yet."""
    with tempfile.TemporaryDirectory(prefix="picklebot-evidence-") as folder:
        copy = Path(folder) / "copy.db"
        for suffix in ("-wal", ""):
            try:
                shutil.copyfile(f"{database}{suffix}", f"{copy}{suffix}")
            except FileNotFoundError:
                continue
        with closing(sqlite3.connect(copy)) as connection:
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            yield connection if tables else None


def read_ledger(path: Path) -> list[Effect]:
    """Read what the tools have done."""
    if not path.exists():
        return []
    return [Effect(**json.loads(line)) for line in path.read_text().splitlines()]
