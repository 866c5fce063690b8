"""Conversations in memory: as many as there is room for, measured in what they really take."""

import gc
import tracemalloc
from pathlib import Path

from picklebot.core.messages import Message
from picklebot.store.database import PlainDatabase, connect
from picklebot.store.migrate import migrate
from picklebot.store.sqlite import SqliteStore
from picklebot.workers.transcripts import Transcripts

ROOM = 1 << 20


def said(number: int) -> list[Message]:
    """Return a turn's messages as they come from a model and from a store: each with text of its own."""
    return [Message.from_json("user", Message.user(f"message {number}").to_json()), Message.assistant(f"no. {number}")]


async def test_conversations_of_short_messages_take_no_more_memory_than_they_may(tmp_path: Path) -> None:
    connection = connect(tmp_path / "a.db")
    migrate(connection, tmp_path / "a.db")
    store = SqliteStore.over(PlainDatabase(connection))
    transcripts = Transcripts(store.sessions, store.compactions, most=ROOM)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(4_000):
            session = f"s{number % 100}"
            await transcripts.get(session)
            transcripts.append(session, said(number))
        gc.collect()
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert ROOM / 4 < taken < ROOM
    connection.close()


async def test_a_conversation_that_had_to_go_is_read_again_and_the_one_that_is_asked_for_stays(
    tmp_path: Path,
) -> None:
    connection = connect(tmp_path / "a.db")
    migrate(connection, tmp_path / "a.db")
    store = SqliteStore.over(PlainDatabase(connection))
    transcripts = Transcripts(store.sessions, store.compactions, most=ROOM)
    first, second = await transcripts.get("first"), await transcripts.get("second")
    assert await transcripts.get("first") is first
    transcripts.append("first", [Message.user("x" * ROOM)])
    assert await transcripts.get("first") is first
    assert await transcripts.get("second") is not second
    assert await transcripts.get("first") is not first
    connection.close()
