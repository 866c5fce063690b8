"""Many messages at the door at once, in SQL.

Promises the rows, and the refusals, that accepting them one by one would leave; most of a statement's cost is that
there is one, and here many messages share it. Knows nothing else of a message than `arrivals` does.
"""

import sqlite3
from collections.abc import Sequence
from typing import TypeAlias

from picklebot.store.arrivals import accept, event_of
from picklebot.store.base import Acceptance, Arrival
from picklebot.store.codec import EVENT_COLUMNS, encode_event
from picklebot.store.events import file_segments

Offer: TypeAlias = tuple[Arrival, int]
"""A message, and how many may be open in its session."""

SIZES = (32, 8)  #: messages that share a statement; there is one statement prepared for each size


def _values(columns: str, size: int) -> str:
    return ", ".join([f"({columns})"] * size)


# What `arrivals.accept` asks of one message.
_LOOKS = {
    size: f"""WITH asked (n, channel, key, source) AS (VALUES {_values("?, ?, ?, ?", size)})
    SELECT n, (SELECT seq FROM inbox WHERE inbox.channel = asked.channel AND inbox.key = asked.key),
    sessions.id, sessions.agent_id,
    (SELECT count(*) FROM (SELECT 1 FROM inbox WHERE session_id = sessions.id AND state = 'open' LIMIT ?))
    FROM asked LEFT JOIN affinity ON affinity.source = asked.source
    LEFT JOIN sessions ON sessions.id = affinity.session_id ORDER BY n"""  # noqa: S608  (constants)
    for size in SIZES
}
_LAST = "SELECT seq FROM sqlite_sequence WHERE name = 'events'"
_LOG = {
    size: f"INSERT INTO events ({EVENT_COLUMNS}) VALUES {_values('?, ?, ?, ?, ?, ?, ?, ?', size)}"  # noqa: S608
    for size in SIZES
}
_OPEN = {
    size: f"""INSERT INTO inbox (seq, channel, key, session_id, agent_id, state)
    VALUES {_values("?, ?, ?, ?, ?, 'open'", size)}"""  # noqa: S608  (constants)
    for size in SIZES
}


def accept_all(connection: sqlite3.Connection, offers: Sequence[Offer]) -> list[Acceptance]:
    """Accept each, in order.

    Raises:
        QueueFull, NotFound: as `accept` does for one of them, with the others half done.
    """
    accepted: list[Acceptance] = []
    done = 0
    for size in SIZES:
        while len(offers) - done >= size:
            accepted += _accept(connection, offers[done : done + size])
            done += size
    return accepted + [accept(connection, arrival, limit=limit) for arrival, limit in offers[done:]]


def _accept(connection: sqlite3.Connection, offers: Sequence[Offer]) -> list[Acceptance]:
    chosen = _sessions(connection, offers)
    if chosen is None:
        return [accept(connection, arrival, limit=limit) for arrival, limit in offers]
    last = connection.execute(_LAST).fetchone()
    before = seq = last[0] if last else 0
    accepted: list[Acceptance] = []
    logged: list[object] = []
    opened: list[object] = []
    for (arrival, _), (session_id, agent_id) in zip(offers, chosen, strict=True):
        seq += 1
        event = event_of(arrival, session_id, agent_id)
        logged += (seq, *encode_event(event))
        opened += (seq, arrival.source.channel, arrival.key, session_id, agent_id)
        accepted.append(Acceptance(seq=seq, event=event, duplicate=False))
    connection.execute(_LOG[len(offers)], logged)
    connection.execute(_OPEN[len(offers)], opened)
    file_segments(connection, before, seq)
    return accepted


def _sessions(connection: sqlite3.Connection, offers: Sequence[Offer]) -> list[tuple[str, str]] | None:
    """Return session and agent of each; None unless all of them are new and go where their source is, with room."""
    asked: list[object] = []
    for n, (arrival, _) in enumerate(offers):
        asked += (n, arrival.source.channel, arrival.key, str(arrival.source))
    most = max(limit for _, limit in offers)
    chosen: list[tuple[str, str]] = []
    before: dict[str, int] = {}  # how many of these go to a session that an earlier one goes to
    for (arrival, limit), (_, seen, session_id, agent_id, waiting) in zip(
        offers, connection.execute(_LOOKS[len(offers)], (*asked, most)), strict=True
    ):
        beside = before[session_id] = before.get(session_id, -1) + 1
        elsewhere = arrival.session_id or arrival.new_session or (arrival.pinned and agent_id != arrival.agent_id)
        if seen is not None or session_id is None or elsewhere or waiting + beside >= limit:
            return None
        chosen.append((session_id, agent_id))
    names = {(arrival.source.channel, arrival.key) for arrival, _ in offers}
    return chosen if len(names) == len(offers) else None
