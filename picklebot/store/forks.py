"""A conversation copied into a session of its own, in SQL.

Promises that the copy is whole or not there, and that the original is untouched. Knows no turn.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from picklebot.core.ids import new_id
from picklebot.core.messages import Message
from picklebot.core.source import Source
from picklebot.store.base import Session
from picklebot.store.codec import to_micros
from picklebot.store.database import Database


class SqliteForks:
    """Writes sessions, affinity and transcript."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fork(
        self, original: Session, said: Sequence[tuple[int, Message]], *, source: Source, at: datetime
    ) -> Session:
        """Open a session of `source` with `original`'s agent in which `said` was said, and make it the current one.

        `said` holds messages with the seq of the turn that each is from.
        """
        turns = len({turn for turn, _ in said})
        session = replace(original, id=new_id(), source=source, created_at=at, updated_at=at, turns=turns)

        def unit(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO sessions (id, agent_id, source, title, created_at, updated_at, turns, messages) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (session.id, session.agent_id, str(source), session.title, *[to_micros(at)] * 2, turns, len(said)),
            )
            connection.execute(  # whatever of it is taken over
                "UPDATE sessions SET marks = (SELECT marks FROM sessions WHERE id = ?) WHERE id = ?",
                (original.id, session.id),
            )
            connection.executemany(
                "INSERT INTO transcript (session_id, n, turn, role, blocks) VALUES (?, ?, ?, ?, ?)",
                [(session.id, n, turn, message.role, message.to_json()) for n, (turn, message) in enumerate(said)],
            )
            connection.execute(
                "INSERT OR REPLACE INTO affinity (source, session_id) VALUES (?, ?)", (str(source), session.id)
            )

        await self._database.write(unit)
        return session
