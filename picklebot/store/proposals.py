"""What was proposed to the owner, and what was decided.

Promises that the same key gives the same proposal, that an answer counts once and only for what was proposed, and
bounds on size and number. Knows nothing of what an approval does.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from picklebot.core.proposals import ID_LENGTHS, Proposal, Verdict, short_id
from picklebot.core.source import Source
from picklebot.errors import NotFound, ToolError
from picklebot.store import audit
from picklebot.store.base import Settlement
from picklebot.store.codec import dumps, from_micros, to_micros
from picklebot.store.database import Database

MAX_BYTES = 1_000_000  #: of one proposal
MAX_TITLE = 400  #: characters
MAX_OPEN = 100  #: proposals that wait for an answer
MAX_OPEN_OF_SESSION = 20
KEPT = 1_000  #: answered ones that are remembered

_COLUMNS = (
    "id, kind, about, title, details, body, digest, session_id, source, key, "
    "created_at, expires_at, state, settled_by, settled_at, outcome, concluded"
)
_SELECT = f"SELECT {_COLUMNS} FROM proposals"  # noqa: S608  (constants)
_OPEN = f"{_SELECT} WHERE state = 'open' AND expires_at > ? ORDER BY seq"
_UNFINISHED = f"{_SELECT} WHERE state = 'approved' AND concluded = 0 AND expires_at > ? ORDER BY seq"


class SqliteProposals:
    """The table of proposals."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def propose(self, proposal: Proposal) -> Proposal:
        """Keep a proposal; return the one that stands."""
        _check_size(proposal)
        return await self._database.write(lambda connection: _propose(connection, proposal))

    async def open(self, now: datetime) -> list[Proposal]:
        """Return what waits for an answer, oldest first."""
        return [_decode(row) for row in await self._database.fetch(_OPEN, (to_micros(now),))]

    async def unfinished(self, now: datetime) -> list[Proposal]:
        """Return what was approved and is not known to have taken effect, oldest first."""
        return [_decode(row) for row in await self._database.fetch(_UNFINISHED, (to_micros(now),))]

    async def get(self, proposal_id: str) -> Proposal:
        """Return a proposal, whatever became of it."""
        rows = await self._database.fetch(f"{_SELECT} WHERE id = ?", (proposal_id,))
        return _decode(_only(rows, proposal_id))

    async def settle(self, proposal_id: str, verdict: Verdict, *, by: Source, at: datetime) -> Settlement:
        """Decide on a proposal, once."""
        return await self._database.write(lambda connection: _settle(connection, proposal_id, verdict, by, at))

    async def conclude(self, proposal_id: str, outcome: str, *, over: bool = True) -> None:
        """Say what came of an approved proposal; `over` False: it may still be carried out."""
        await self._database.complete(
            lambda connection: connection.execute(
                "UPDATE proposals SET outcome = ?, concluded = ? WHERE id = ? AND state = 'approved' AND concluded = 0",
                (outcome, int(over), proposal_id),
            )
        )


def _check_size(proposal: Proposal) -> None:
    try:
        size = len(dumps(dict(proposal.body)).encode()) + len(f"{proposal.title}{proposal.details}".encode())
    except UnicodeEncodeError:
        raise ToolError("the proposal holds half a character (a lone surrogate); write it as plain text") from None
    if size > MAX_BYTES:
        raise ToolError(f"the proposal has {size:,} bytes; at most {MAX_BYTES:,} can be shown to the owner and kept")
    if len(proposal.title) > MAX_TITLE:
        raise ToolError(f"the title of a proposal has at most {MAX_TITLE} characters, this one {len(proposal.title)}")


def _propose(connection: sqlite3.Connection, proposal: Proposal) -> Proposal:
    known = connection.execute(f"{_SELECT} WHERE key = ?", (proposal.key,)).fetchone()
    if known is not None:
        return _decode(known)
    _expire(connection, proposal.created_at)
    for older in _rivals(connection, proposal):
        if (older.title, older.details, older.body) == (proposal.title, proposal.details, proposal.body):
            return older
    proposal = replace(proposal, id=_free_id(connection, proposal.digest))
    for older in _rivals(connection, proposal):
        connection.execute(
            "UPDATE proposals SET state = 'expired', settled_at = ?, outcome = ? WHERE id = ?",
            (to_micros(proposal.created_at), f"replaced by {proposal.id}", older.id),
        )
    _check_room(connection, proposal.session_id)
    row = _encode(proposal)
    marks = ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO proposals ({_COLUMNS}) VALUES ({marks})", row)  # noqa: S608  (constants)
    connection.execute(
        "DELETE FROM proposals WHERE state != 'open' AND seq <= "
        "(SELECT seq FROM proposals WHERE state != 'open' ORDER BY seq DESC LIMIT 1 OFFSET ?)",
        (KEPT,),
    )
    return proposal


def _rivals(connection: sqlite3.Connection, proposal: Proposal) -> list[Proposal]:
    if not proposal.about:
        return []
    rows = connection.execute(
        f"{_SELECT} WHERE state = 'open' AND session_id = ? AND kind = ? AND about = ?",
        (proposal.session_id, proposal.kind, proposal.about),
    )
    return [_decode(row) for row in rows]


def _check_room(connection: sqlite3.Connection, session_id: str) -> None:
    everywhere, here = connection.execute(
        "SELECT count(*), count(*) FILTER (WHERE session_id = ?) FROM proposals WHERE state = 'open'", (session_id,)
    ).fetchone()
    if here >= MAX_OPEN_OF_SESSION or everywhere >= MAX_OPEN:
        count, where = (here, " of this session") if here >= MAX_OPEN_OF_SESSION else (everywhere, "")
        raise ToolError(f"{count} proposals{where} wait for the owner's answer already: wait until some are answered")


def _free_id(connection: sqlite3.Connection, digest: str) -> str:
    for length in ID_LENGTHS:
        proposal_id = short_id(digest, length)
        if connection.execute("SELECT 1 FROM proposals WHERE id = ?", (proposal_id,)).fetchone() is None:
            return proposal_id
    raise ToolError("this proposal was made before, and cannot be made again")


def _settle(connection: sqlite3.Connection, proposal_id: str, verdict: Verdict, by: Source, at: datetime) -> Settlement:
    _expire(connection, at)
    found = connection.execute(f"{_SELECT} WHERE id = ?", (proposal_id,)).fetchall()
    proposal = _decode(_only(found, proposal_id))
    if not proposal.intact:
        raise NotFound(
            f"{proposal_id} is not what was proposed any more: somebody altered it, so it cannot be answered"
        )
    if proposal.state != "open":
        return Settlement(proposal=proposal, fresh=False)
    connection.execute(
        "UPDATE proposals SET state = ?, settled_by = ?, settled_at = ? WHERE id = ?",
        (verdict, str(by), to_micros(at), proposal_id),
    )
    body = {
        "by": str(by),
        "proposal": proposal_id,
        "about": proposal.kind,
        "verdict": verdict,
        "digest": proposal.digest,
    }
    audit.append(connection, "answer", body, to_micros(at))
    return Settlement(proposal=replace(proposal, state=verdict, settled_by=by, settled_at=at), fresh=True)


def _expire(connection: sqlite3.Connection, now: datetime) -> None:
    connection.execute(
        "UPDATE proposals SET state = 'expired', settled_at = expires_at WHERE state = 'open' AND expires_at <= ?",
        (to_micros(now),),
    )


def _only(rows: Sequence[tuple[Any, ...]], proposal_id: str) -> tuple[Any, ...]:
    if not rows:
        raise NotFound(f"there is no proposal {proposal_id!r}; /approve without an id shows what is open")
    return rows[0]


def _encode(proposal: Proposal) -> tuple[Any, ...]:
    return (
        *(proposal.id, proposal.kind, proposal.about, proposal.title, proposal.details, dumps(dict(proposal.body))),
        *(proposal.digest, proposal.session_id, str(proposal.source), proposal.key),
        *(to_micros(proposal.created_at), to_micros(proposal.expires_at), proposal.state, None, None, "", 0),
    )


def _decode(row: Sequence[Any]) -> Proposal:
    given: dict[str, Any] = dict(zip(_COLUMNS.split(", "), row, strict=True))
    settled_by, settled_at = given["settled_by"], given["settled_at"]
    given |= {
        "body": json.loads(given["body"]),
        "source": Source.parse(given["source"]),
        "created_at": from_micros(given["created_at"]),
        "expires_at": from_micros(given["expires_at"]),
        "settled_by": None if settled_by is None else Source.parse(settled_by),
        "settled_at": None if settled_at is None else from_micros(settled_at),
        "concluded": bool(given["concluded"]),
    }
    return Proposal(**given)
