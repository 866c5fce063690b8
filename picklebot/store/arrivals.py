"""Messages at the door, in SQL.

Promises one event for one (channel, key), in the session that the arrival asks for, and never more open ones in a
session than its limit. Knows no turn.
"""

import sqlite3

from picklebot.core.events import InboundEvent
from picklebot.core.ids import new_id
from picklebot.core.text import shorten
from picklebot.errors import NotFound, QueueFull
from picklebot.store.base import Acceptance, Arrival
from picklebot.store.codec import EVENT_COLUMNS, decode_event, to_micros
from picklebot.store.events import append

MAX_TITLE = 60
_EVENTS = ", ".join(f"events.{column}" for column in EVENT_COLUMNS.split(", "))
FIRST_TIME = f"""SELECT {_EVENTS} FROM inbox JOIN events USING (seq) WHERE channel = ? AND key = ?"""  # noqa: S608
# One look for three questions: was the key seen, which session has the source, how many of its messages wait.
_LOOK = """SELECT (SELECT seq FROM inbox WHERE channel = ?1 AND key = ?2), sessions.id, sessions.agent_id,
    (SELECT count(*) FROM (
        SELECT 1 FROM inbox WHERE session_id = sessions.id AND state = 'open' LIMIT ?4))
    FROM (SELECT 1) LEFT JOIN affinity ON affinity.source = ?3 LEFT JOIN sessions ON sessions.id = affinity.session_id"""
_WAITING = "SELECT count(*) FROM (SELECT 1 FROM inbox WHERE session_id = ? AND state = 'open' LIMIT ?)"


def accept(connection: sqlite3.Connection, arrival: Arrival, *, limit: int) -> Acceptance:
    """Log the message and open it, unless its key was seen before."""
    channel, source = arrival.source.channel, str(arrival.source)
    seen, session_id, agent_id, waiting = connection.execute(_LOOK, (channel, arrival.key, source, limit)).fetchone()
    if seen is not None:
        seq, event = decode_event(connection.execute(FIRST_TIME, (channel, arrival.key)).fetchone())
        assert isinstance(event, InboundEvent)
        return Acceptance(seq=seq, event=event, duplicate=True)
    wanted = _wanted_session(connection, arrival, source, session_id, agent_id)
    if wanted != session_id:
        waiting = connection.execute(_WAITING, (wanted, limit)).fetchone()[0]
        agent_id = _enter(connection, arrival, source, wanted)
    if waiting >= limit:
        raise QueueFull(f"{waiting} messages already wait in this session; try again when some are answered")
    event = event_of(arrival, wanted, agent_id)
    seq = append(connection, event)
    connection.execute(
        "INSERT INTO inbox (seq, channel, key, session_id, agent_id, state) VALUES (?, ?, ?, ?, ?, 'open')",
        (seq, channel, arrival.key, wanted, agent_id),
    )
    return Acceptance(seq=seq, event=event, duplicate=False)


def event_of(arrival: Arrival, session_id: str, agent_id: str) -> InboundEvent:
    """Return the event that an arrival becomes."""
    return InboundEvent(
        session_id=session_id,
        source=arrival.source,
        agent_id=agent_id,
        content=arrival.content,
        key=arrival.key,
        deliver=arrival.deliver,
        outside=arrival.outside,
        created_at=arrival.at,
    )


def _wanted_session(
    connection: sqlite3.Connection, arrival: Arrival, source: str, current: str | None, agent_id: str | None
) -> str:
    """Return the id of the session asked for, of the source's own, or of one that is still to be made."""
    if arrival.session_id is not None:
        return arrival.session_id
    if arrival.new_session or current is None:
        return new_id()
    if not arrival.pinned or agent_id == arrival.agent_id:
        return current
    row = connection.execute(
        "SELECT id FROM sessions WHERE source = ? AND agent_id = ? ORDER BY updated_at DESC LIMIT 1",
        (source, arrival.agent_id),
    ).fetchone()
    return row[0] if row else new_id()


def _enter(connection: sqlite3.Connection, arrival: Arrival, source: str, session_id: str) -> str:
    """Make a session the source's own, and make it at all if it is new; return its agent.

    A session that the sender named is only spoken to: its own source keeps it. So does one that is asked aside.
    """
    row = connection.execute("SELECT agent_id FROM sessions WHERE id = ?", (session_id,)).fetchone()
    if arrival.session_id is not None:
        if row is None:
            raise NotFound(f"there is no session {session_id!r}; `picklebot sessions list` shows them")
        return str(row[0])
    if row is None:
        moment, title = to_micros(arrival.at), shorten(arrival.content, MAX_TITLE)
        connection.execute(
            "INSERT INTO sessions (id, agent_id, source, title, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)",
            (session_id, arrival.agent_id, source, title, moment, moment),
        )
    if not arrival.aside:
        connection.execute("INSERT OR REPLACE INTO affinity (source, session_id) VALUES (?, ?)", (source, session_id))
    return str(row[0]) if row else arrival.agent_id
