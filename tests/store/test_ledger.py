"""What was spent, under each heading."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from picklebot.core.events import DispatchEvent
from picklebot.core.journal import RecordedStep
from picklebot.core.messages import Message
from picklebot.core.replies import ModelReply, Usage
from picklebot.core.source import Source
from picklebot.store.base import Arrival
from picklebot.store.sqlite import SqliteStore, open_store

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    async with open_store(tmp_path / "p.db") as opened:
        yield opened


async def spend(store: SqliteStore, source: str, usd: float | None, at: datetime) -> None:
    arrival = Arrival(source=Source.parse(source), content="x", key=str(at), agent_id="a", at=at, new_session=True)
    accepted = await store.inbox.accept(arrival, limit=9)
    await play(store, accepted.event.session_id, usd, at)


async def play(store: SqliteStore, session_id: str, usd: float | None, at: datetime) -> None:
    turn = await store.inbox.begin(session_id, at)
    assert turn is not None
    reply = ModelReply(message=Message.assistant("x"), stop_reason="end_turn", usage=Usage(output_tokens=1), model="m")
    await store.turns.record_step(
        turn, RecordedStep(n=0, reply=reply, cost_usd=usd), [], opening=Message.user("x"), at=at
    )


async def test_a_day_is_one_of_the_users_zone_also_where_clocks_are_changed(store: SqliteStore) -> None:
    night = datetime(2030, 10, 26, 21, 59, tzinfo=UTC)  # one minute to midnight in Berlin; a day of 25 hours comes
    for hours in (0, 1, 24, 25, 26):
        await spend(store, "fake:ann", 1.0, night + timedelta(hours=hours))
    days = await store.ledger.spend("day", zone=BERLIN)
    assert [(row.key, row.cost_usd) for row in days] == [("2030-10-26", 1.0), ("2030-10-27", 3.0), ("2030-10-28", 1.0)]
    assert [row.key for row in await store.ledger.spend("day")] == ["2030-10-26", "2030-10-27"]


async def test_jobs_are_summed_by_their_source_and_the_rest_together(store: SqliteStore) -> None:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    for n, source in enumerate(("cron:brief", "fake:ann", "cron:brief", "task:7", "telegram:1:1")):
        await spend(store, source, None if n == 4 else 1.0, at + timedelta(seconds=n))
    rows = await store.ledger.spend("cron")
    assert [(row.key, row.cost_usd, row.unpriced) for row in rows] == [
        ("", 1.0, 1),
        ("cron:brief", 2.0, 0),
        ("task:7", 1.0, 0),
    ]


async def test_what_a_job_has_others_do_is_summed_with_the_job(store: SqliteStore) -> None:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    for n, source in enumerate(("cron:brief", "fake:ann")):
        await spend(store, source, 1.0, at + timedelta(seconds=n))
        _, parent = (await store.log.after(0))[-1]
        child = DispatchEvent(
            session_id=f"child {n}",
            source=Source("agent", ("a",)),
            cause_id=parent.id,
            agent_id="b",
            content="x",
            parent_session_id=parent.session_id,
            tool_call_id=f"call {n}",
        )
        await store.dispatches.accept(child)
        await play(store, child.session_id, 0.5, at + timedelta(minutes=1))
    rows = await store.ledger.spend("cron")
    assert [(row.key, row.cost_usd) for row in rows] == [("", 1.5), ("cron:brief", 1.5)]
