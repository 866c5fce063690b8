"""Puts messages and conversations into a workspace's database before its daemon starts.

Uses the store's own units of work, many to a commit, so that what is there is what a daemon would have put there.
"""

import sqlite3
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from benchmarks.daemon import AGENT, People
from picklebot.core.messages import Message
from picklebot.core.source import Source
from picklebot.store.arrivals import accept
from picklebot.store.base import Acceptance, Arrival, Conclusion
from picklebot.store.database import connect
from picklebot.store.inbox import begin
from picklebot.store.migrate import migrate
from picklebot.store.turns import finish

DATABASE = Path(".picklebot/picklebot.db")
GROUP = 5_000
_WAITING = 1 << 20
_numbers = count()


def open_events(root: Path, events: int, sessions: int) -> None:
    """Accept so many messages, evenly over so many sessions, and answer none."""
    with _writing(root) as connection:
        for first in range(0, events, GROUP):
            connection.execute("BEGIN IMMEDIATE")
            for number in range(first, min(first + GROUP, events)):
                _accept(connection, f"p{number % sessions}", f"message {number}")
            connection.execute("COMMIT")


def conversations(root: Path, people: Iterable[str], messages: int) -> None:
    """Give each of `people` a session with so many messages, all of them answered."""
    said = history(messages)
    with _writing(root) as connection:
        for person in people:
            connection.execute("BEGIN IMMEDIATE")
            session = _accept(connection, person, "hello").event.session_id
            turn = begin(connection, session, _now())
            assert turn is not None
            finish(connection, Conclusion(turn=turn, outcome="done", messages=said, outbound=[], at=_now()))
            connection.execute("COMMIT")


def history(messages: int) -> Sequence[Message]:
    """Return a conversation of so many messages, an even number."""
    pair = [
        Message.user("What do you think of this? " + "word " * 30),
        Message.assistant("I think that " + "word " * 40),
    ]
    return pair * (messages // 2)


def count_open(root: Path) -> int:
    """Return how many accepted messages are still unanswered; none where nothing has happened yet."""
    if not (root / DATABASE).exists():
        return 0
    with _reading(root) as connection:
        return int(connection.execute("SELECT count(*) FROM inbox WHERE state = 'open'").fetchone()[0])


def _accept(connection: sqlite3.Connection, person: str, content: str) -> Acceptance:
    source = Source(People.name, (person,))
    arrival = Arrival(source=source, content=content, key=f"s{next(_numbers)}", agent_id=AGENT, at=_now())
    return accept(connection, arrival, limit=_WAITING)


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def _writing(root: Path) -> Generator[sqlite3.Connection, None, None]:
    path = root / DATABASE
    path.parent.mkdir(mode=0o700, exist_ok=True)
    connection = connect(path)
    try:
        migrate(connection, path)
        yield connection
    finally:
        connection.close()


@contextmanager
def _reading(root: Path) -> Generator[sqlite3.Connection, None, None]:
    connection = connect(root / DATABASE, read_only=True)
    try:
        yield connection
    finally:
        connection.close()
