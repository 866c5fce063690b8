"""What is on its way at this moment: messages that are answered or wait, and replies that are not delivered, in SQL.

Reads only, and no more than it is asked for, however much there is. Knows no page.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from picklebot.core.source import Source
from picklebot.core.text import shorten
from picklebot.store.codec import from_micros
from picklebot.store.database import Database, Row
from picklebot.store.turn_reports import REPLY_COLUMNS, ReplyReport, decode_reply, moment

Standing: TypeAlias = Literal["running", "waiting", "parked", "joined"]

CONTENT = 300  #: characters of a message
_OPEN = """SELECT inbox.session_id, inbox.agent_id, sessions.source, events.id,
    json_extract(events.body, '$.content'), events.created_at, turns.started_at, turns.state, inbox.not_before,
    inbox.error, EXISTS (SELECT 1 FROM joined WHERE joined.seq = inbox.seq),
    (SELECT json_group_array(tool) FROM calls WHERE calls.turn = inbox.seq AND calls.state IN ('planned', 'started'))
    FROM inbox JOIN events USING (seq) JOIN sessions ON sessions.id = inbox.session_id LEFT JOIN turns USING (seq)
    WHERE inbox.state = 'open' ORDER BY inbox.seq LIMIT ?"""
_UNDELIVERED = f"""SELECT {REPLY_COLUMNS} FROM outbox JOIN events USING (seq)
    WHERE state IN ('pending', 'sending') ORDER BY seq LIMIT ?"""  # noqa: S608  (constants)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnItsWay:
    """A message that is not answered yet. `since` is when its turn began, or when it came if that is still to be."""

    event_id: str
    state: Standing
    content: str
    since: datetime
    until: datetime | None
    why: str | None
    tools: Sequence[str]
    """Those that run for it now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionQueue:
    """The open messages of one session, in the order in which they will be answered."""

    session_id: str
    agent_id: str
    source: Source
    messages: Sequence[OnItsWay]


class SqliteQueues:
    """Reads only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sessions(self, limit: int) -> list[SessionQueue]:
        """Return what is open, at most `limit` messages, the oldest first."""
        found: dict[str, tuple[str, Source, list[OnItsWay]]] = {}
        for session_id, agent_id, source, *row in await self._database.fetch(_OPEN, (limit,)):
            _, _, messages = found.setdefault(session_id, (agent_id, Source.parse(source), []))
            messages.append(_message(tuple(row)))
        return [
            SessionQueue(session_id=session_id, agent_id=agent_id, source=source, messages=messages)
            for session_id, (agent_id, source, messages) in found.items()
        ]

    async def undelivered(self, limit: int) -> list[ReplyReport]:
        """Return replies that are on their way, at most `limit`, the oldest first."""
        return [decode_reply(row) for row in await self._database.fetch(_UNDELIVERED, (limit,))]


def _message(row: Row) -> OnItsWay:
    event_id, content, came, began, turn, not_before, error, joined, tools = row
    state: Standing = "joined" if joined else turn if turn in {"running", "parked"} else "waiting"
    return OnItsWay(
        event_id=event_id,
        state=state,
        content=shorten(content, CONTENT),
        since=from_micros(began if began is not None and state == "running" else came),
        until=moment(not_before or None) if state == "parked" else None,
        why=error if state == "parked" else None,
        tools=json.loads(tools) if state == "running" else (),
    )
