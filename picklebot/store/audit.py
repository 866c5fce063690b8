"""The audit log, in SQL: a chain of entries, each appended in the transaction of what it tells of.

Promises that an entry and its fact are on disk together or not at all, that each digest covers everything before it, and
a bound: the oldest entries go, and the digest of the last one that went stays as the anchor of the rest. Holds no words
of a conversation: calls and answers are named, and bound by digests of what the journal holds.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import blake2b, sha256
from typing import Any, cast

from picklebot.store.base import AuditEntry, AuditKind, Turn
from picklebot.store.codec import dumps, from_micros, to_micros
from picklebot.store.database import Database

KEPT = 100_000  #: entries, give or take a batch
BATCH = 1_000  #: that go at once
_HEAD = "SELECT seq, digest FROM audit ORDER BY seq DESC LIMIT 1"
_ANCHOR = "SELECT seq, digest FROM audit_anchor"


class SqliteAudit:
    """The log, for what has no other transaction, and for readers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, kind: AuditKind, body: Mapping[str, Any], *, at: datetime) -> None:
        """Append an entry."""
        await self._database.complete(lambda connection: append(connection, kind, body, to_micros(at)))

    async def entries(self, *, limit: int, kind: str | None = None) -> Sequence[AuditEntry]:
        """Return the last entries, oldest first."""
        rows = await self._database.fetch(
            "SELECT seq, at, kind, body, digest FROM audit WHERE ?1 IS NULL OR kind = ?1 ORDER BY seq DESC LIMIT ?2",
            (kind, limit),
        )
        return [
            AuditEntry(seq=seq, at=from_micros(at), kind=name, body=_read(body), digest=digest.hex())
            for seq, at, name, body, digest in reversed(rows)
        ]

    async def last(self, kind: AuditKind, about: str) -> Mapping[str, Any]:
        """Return what the last entry of a kind says of a thing; nothing where there is none."""
        rows = await self._database.fetch(
            "SELECT body FROM audit WHERE kind = ? AND iif(json_valid(body), body ->> '$.about', NULL) = ? ORDER BY seq DESC LIMIT 1",
            (kind, about),
        )
        return _read(rows[0][0]) if rows else {}


def _read(body: str) -> Mapping[str, Any]:
    """Return what an entry says; one that somebody has altered may say anything."""
    try:
        found: object = json.loads(body)
    except ValueError:
        found = None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {"about": "?", "what": "altered"}


def append(connection: sqlite3.Connection, kind: AuditKind, body: Mapping[str, Any], moment: int) -> None:
    """Append an entry, in the transaction that is open."""
    before = connection.execute(_HEAD).fetchone() or connection.execute(_ANCHOR).fetchone()
    seq, text = before[0] + 1, dumps(dict(body))
    connection.execute(
        "INSERT INTO audit (seq, at, kind, body, digest) VALUES (?, ?, ?, ?, ?)",
        (seq, moment, kind, text, chained(before[1], seq, moment, kind, text)),
    )
    if seq % BATCH == 0:
        prune(connection, seq - KEPT)


def chained(before: bytes, seq: int, moment: int, kind: str, body: str) -> bytes:
    """Return the digest of an entry: that of all there is of it, after that of the one before it."""
    return sha256(b"%b%d\n%d\n%b\n%b" % (before, seq, moment, kind.encode(), body.encode())).digest()


def prune(connection: sqlite3.Connection, through: int) -> None:
    """Let the entries up to a number go, and hold on to where the rest begins."""
    row = connection.execute("SELECT digest FROM audit WHERE seq = ?", (through,)).fetchone()
    if row is None:
        return
    connection.execute(
        "UPDATE audit_anchor SET seq = ?1, digest = ?2, turn = "
        "max(turn, (SELECT coalesce(max(iif(json_valid(body), body ->> '$.turn', 0)), 0) FROM audit WHERE seq <= ?1))",
        (through, row[0]),
    )
    connection.execute("DELETE FROM audit WHERE seq <= ?", (through,))


def call_body(turn: Turn, step: int, call_id: str, row: Sequence[Any]) -> dict[str, Any]:
    """Return what is said of a call that ended; `row` is its tool, effect, state, input and result."""
    tool, effect, state, given, result = row
    return {
        "agent": turn.event.agent_id,
        "source": str(turn.event.source),
        "event": turn.id,
        "turn": turn.seq,
        "step": step,
        "call": call_id,
        "tool": tool[:200],
        "effect": effect,
        "state": state,
        "input": bound(given),
        "result": None if result is None else bound(result),
    }


def bound(text: str) -> str:
    """Return what binds an entry to a text that stands elsewhere."""
    return blake2b(text.encode(), digest_size=16).hexdigest()
