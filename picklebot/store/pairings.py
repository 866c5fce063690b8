"""Strangers at the door and who was let in, in SQL.

Promises that a code lets in one person, once, within its hour, and that guessing ends after a few tries: what waits
then is void. Knows no platform.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from picklebot.core.people import LIFETIME, MAX_NAME, MAX_PENDING, MAX_TRIES, Grant, Knock, Role, new_code
from picklebot.core.source import Source
from picklebot.core.text import clean, shorten
from picklebot.store import audit
from picklebot.store.codec import from_micros, to_micros
from picklebot.store.database import Database, Row

_KNOCK = "channel, person, name, code, at, expires_at, told"
_WAITING = f"SELECT {_KNOCK} FROM knocks WHERE refused = 0 AND expires_at > ?"  # noqa: S608  (constants)
_GRANT = "SELECT channel, person, name, role, granted_by, at FROM grants"


class SqlitePairings:
    """The tables of knocks and grants."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def knock(self, channel: str, person: str, *, name: str, at: datetime) -> Knock | None:
        """Let a stranger knock; None where they did before, or where too many wait."""
        rows = await self._database.fetch(  # most knocks are repeated ones, and cost no write
            "SELECT told, refused FROM knocks WHERE channel = ? AND person = ? AND expires_at > ?",
            (channel, person, to_micros(at)),
        )
        if rows and (rows[0][0] or rows[0][1]):
            return None
        return await self._database.write(lambda connection: _knock(connection, channel, person, name, at))

    async def told(self, knock: Knock) -> None:
        """The stranger has the code."""
        await self._database.complete(
            lambda connection: connection.execute("UPDATE knocks SET told = 1 WHERE code = ?", (knock.code,))
        )

    async def pending(self, now: datetime) -> Sequence[Knock]:
        """Return who waits, oldest first."""
        return [_read(row) for row in await self._database.fetch(f"{_WAITING} ORDER BY at", (to_micros(now),))]

    async def approve(self, code: str, role: Role, *, by: Source, at: datetime) -> Grant | None:
        """Let in whoever has that code, which is spent then; None if nobody has it, which is counted."""

        def unit(connection: sqlite3.Connection) -> Grant | None:
            row = connection.execute(f"{_WAITING} AND code = ?", (to_micros(at), code)).fetchone()
            if row is None:
                connection.execute("UPDATE knocks SET tries = tries + 1")
                connection.execute("DELETE FROM knocks WHERE tries >= ?", (MAX_TRIES,))
                return None
            knock = _read(row)
            connection.execute("DELETE FROM knocks WHERE code = ?", (code,))
            connection.execute(
                "INSERT OR REPLACE INTO grants (channel, person, name, role, granted_by, at) VALUES (?, ?, ?, ?, ?, ?)",
                (knock.channel, knock.person, knock.name, role, str(by), to_micros(at)),
            )
            _tell(connection, knock.channel, knock.person, f"let in as {role}", at, by=str(by))
            return Grant(channel=knock.channel, person=knock.person, name=knock.name, role=role, by=by, at=at)

        return await self._database.write(unit)

    async def turn_away(self, code: str, *, at: datetime) -> Knock | None:
        """Refuse whoever has that code: they hear nothing more for as long as it would have lived."""

        def unit(connection: sqlite3.Connection) -> Knock | None:
            row = connection.execute(f"{_WAITING} AND code = ?", (to_micros(at), code)).fetchone()
            if row is None:
                return None
            connection.execute("UPDATE knocks SET refused = 1 WHERE code = ?", (code,))
            knock = _read(row)
            _tell(connection, knock.channel, knock.person, "turned away", at)
            return knock

        return await self._database.write(unit)

    async def role_of(self, channel: str, person: str) -> Role | None:
        """Return as what somebody was let in; None if they were not."""
        rows = await self._database.fetch("SELECT role FROM grants WHERE channel = ? AND person = ?", (channel, person))
        return rows[0][0] if rows else None

    async def grants(self) -> Sequence[Grant]:
        """Return who was let in, oldest first."""
        return [_granted(row) for row in await self._database.fetch(f"{_GRANT} ORDER BY at")]

    async def revoke(self, channel: str, person: str, *, at: datetime) -> bool:
        """Shut somebody out; return whether they were let in."""

        def unit(connection: sqlite3.Connection) -> bool:
            found = connection.execute(
                "DELETE FROM grants WHERE channel = ? AND person = ?", (channel, person)
            ).rowcount
            if found:
                _tell(connection, channel, person, "shut out", at)
            return bool(found)

        return await self._database.write(unit)


def _tell(connection: sqlite3.Connection, channel: str, person: str, what: str, at: datetime, **more: str) -> None:
    """Say in the audit log what became of somebody."""
    body = {"about": str(Source(channel, (person,))), "what": what, **more}
    audit.append(connection, "person", body, to_micros(at))


def _knock(connection: sqlite3.Connection, channel: str, person: str, name: str, at: datetime) -> Knock | None:
    now = to_micros(at)
    connection.execute("DELETE FROM knocks WHERE expires_at <= ?", (now,))
    row = connection.execute(f"{_WAITING} AND channel = ? AND person = ?", (now, channel, person)).fetchone()
    if row is not None:
        return _read(row) if not row[-1] else None
    waiting = connection.execute("SELECT count(*) FROM knocks WHERE channel = ?", (channel,)).fetchone()[0]
    if waiting >= MAX_PENDING:
        return None
    knock = Knock(
        channel=channel,
        person=person,
        name=shorten(clean(name), MAX_NAME),
        code=new_code(),
        at=at,
        expires_at=at + LIFETIME,
    )
    connection.execute(
        f"INSERT OR IGNORE INTO knocks ({_KNOCK}) VALUES (?, ?, ?, ?, ?, ?, 0)",  # noqa: S608  (constants)
        (channel, person, knock.name, knock.code, now, to_micros(knock.expires_at)),
    )
    return knock if connection.execute("SELECT changes()").fetchone()[0] else None


def _read(row: Row) -> Knock:
    channel, person, name, code, at, expires_at, told = row
    return Knock(
        channel=channel,
        person=person,
        name=name,
        code=code,
        at=from_micros(at),
        expires_at=from_micros(expires_at),
        told=bool(told),
    )


def _granted(row: Row) -> Grant:
    channel, person, name, role, by, at = row
    return Grant(channel=channel, person=person, name=name, role=role, by=Source.parse(by), at=from_micros(at))
