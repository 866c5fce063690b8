"""Whether the audit log is what was written: every digest, every number, and the journal that it tells of.

Promises to name the first entries that were altered, removed or put in, and calls whose record was changed or whose
entry is missing: also where the end of the log was cut off, as far as the journal still has what was done there. Whoever
makes the whole chain anew, and changes the journal with it, is seen only by a `head` that was kept elsewhere.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from picklebot.store.audit import bound, chained
from picklebot.store.base import AuditProof
from picklebot.store.codec import from_micros

SHOWN = 20  #: problems that are named
_ROWS = "SELECT seq, at, kind, body, digest FROM audit WHERE seq > ? ORDER BY seq"
_CALLS = """SELECT turn, step, call_id, tool, state, input, result, finished_at FROM calls
    WHERE turn > ? AND (finished_at IS NOT NULL OR state = 'unknown') ORDER BY turn, step, call_id"""


@dataclass(slots=True)
class _Told:
    """What the log says of a call, last."""

    seq: int
    state: str
    input: str
    result: str | None


@dataclass(slots=True)
class _Look:
    head: tuple[int, bytes]
    first: int = 0
    entries: int = 0
    calls: dict[tuple[int, int, str], _Told] = field(default_factory=dict[tuple[int, int, str], _Told])
    known: bool = False


def prove(connection: sqlite3.Connection, *, head: str = "") -> AuditProof:
    """Look at all of it, as it is at one moment; `head` is one that was kept, and must still be there."""
    connection.execute("BEGIN")
    try:
        seq, digest, turn = connection.execute("SELECT seq, digest, turn FROM audit_anchor").fetchone()
        look = _Look(head=(seq, digest), first=seq + 1, known=f"{seq}:{digest.hex()}" == head)
        problems = [*_chain(connection, look, head), *_journal(connection, look, turn)]
    finally:
        connection.execute("ROLLBACK")
    if head and not look.known:
        number = head.partition(":")[0]
        problems.insert(
            0, f"entry {number} is not the one that was kept: the log was made anew, cut off, or has let it go"
        )
    last, digest = look.head
    return AuditProof(first=look.first, entries=look.entries, head=f"{last}:{digest.hex()}", problems=problems[:SHOWN])


def _chain(connection: sqlite3.Connection, look: _Look, head: str) -> Iterator[str]:
    for seq, at, kind, body, digest in connection.execute(_ROWS, (look.head[0],)):
        before, known = look.head
        if seq != before + 1:
            yield _missing(before + 1, seq - 1)
        elif chained(known, seq, at, kind, body) != digest:
            yield f"entry {seq} ({from_micros(at):%Y-%m-%d %H:%M:%S} UTC, {kind}) is not what was written, or the one before it is not"
        look.head, look.entries = (seq, digest), look.entries + 1
        look.known = look.known or f"{seq}:{digest.hex()}" == head
        if kind == "call":
            _learn(look, seq, body)


def _learn(look: _Look, seq: int, body: str) -> None:
    try:
        given: dict[str, Any] = json.loads(body)
        key = (given["turn"], given["step"], given["call"])
        look.calls[key] = _Told(seq=seq, state=given["state"], input=given["input"], result=given["result"])
    except (ValueError, KeyError, TypeError):
        return  # its digest has said so


def _journal(connection: sqlite3.Connection, look: _Look, since: int) -> Iterator[str]:
    for turn, step, call_id, tool, state, given, result, _ in connection.execute(_CALLS, (since,)):
        told, name = look.calls.pop((turn, step, call_id), None), f"the call {call_id} of {tool} in turn {turn}"
        if told is None:
            yield f"{name} has ended and has no entry: one was removed, or the end of the log was cut off"
        elif (state, bound(given), None if result is None else bound(result)) != (told.state, told.input, told.result):
            yield f"{name} is not what entry {told.seq} says of it: its record was changed"
    for (turn, _, call_id), told in look.calls.items():
        if turn > since:
            yield f"the call {call_id} in turn {turn}, of which entry {told.seq} tells, is gone from the journal"


def _missing(first: int, last: int) -> str:
    if last < first:
        return f"entry {first} is out of order"
    return f"entry {first} is missing" if first == last else f"entries {first} to {last} are missing"
