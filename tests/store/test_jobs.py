"""The memory of jobs: one row for an instant, with its message or with the reason why there is none."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from picklebot.core.source import Source
from picklebot.store.base import Arrival, Conclusion, Firing, JobState, Progress, Row
from picklebot.store.sqlite import SqliteStore
from tests.store.conftest import ANN, NOW

JOB = "cron:brief"
HOUR = timedelta(hours=1)


def firing(n: int = 1, **wishes: object) -> Firing:
    """Return the n-th instant of an hourly job, to be begun."""
    at, wall = NOW + n * HOUR, f"hour-{n}"
    source = Source.parse(JOB)
    arrival = Arrival(source=source, content="do it", key=f"{JOB}@{wall}", agent_id="echo", at=at, new_session=True)
    fields: dict[str, object] = {"progress": Progress(through=at, next=at + HOUR, due=at + HOUR), **wishes}
    return Firing(job_id=JOB, wall=wall, at=at, arrival=arrival, **fields)  # type: ignore[arg-type]


async def adopted(store: SqliteStore) -> None:
    await store.jobs.adopt([JobState(id=JOB, fingerprint="f", anchor=NOW, through=NOW, next=NOW + HOUR)])


async def end(store: SqliteStore, session_id: str, *, failed: bool = False) -> None:
    turn = await store.inbox.begin(session_id, NOW + 100 * HOUR)
    assert turn is not None
    outcome = "failed" if failed else "done"
    error = "it would not" if failed else None
    await store.turns.finish(
        Conclusion(turn=turn, outcome=outcome, messages=[], outbound=[], at=NOW, error=error)  # type: ignore[arg-type]
    )


async def verdicts(store: SqliteStore) -> Sequence[str]:
    return [instant.verdict for instant in await store.jobs.history(JOB, limit=100)]


async def test_an_instant_claimed_twice_at_once_sends_one_message(store: SqliteStore) -> None:
    await adopted(store)
    both = await asyncio.gather(*(store.jobs.claim(firing(), limit=9) for _ in range(2)))
    assert sorted(claimed.again for claimed in both) == [False, True]
    assert (await store.ledger.counts()).accepted == 1
    assert len(await store.jobs.history(JOB, limit=9)) == 1


async def test_a_claim_moves_the_schedule_with_it(store: SqliteStore) -> None:
    await adopted(store)
    await store.jobs.claim(firing(), limit=9)
    [state] = await store.jobs.states([JOB])
    assert (state.through, state.next) == (NOW + HOUR, NOW + 2 * HOUR)
    assert [each.id for each in await store.jobs.soonest(9)] == [JOB]


async def test_a_claim_by_hand_moves_no_schedule_and_does_not_ask_whether_the_job_is_paused(store: SqliteStore) -> None:
    await adopted(store)
    await store.jobs.pause(JOB, "by hand")
    assert (await store.jobs.claim(firing(progress=None), limit=9)).event is not None
    [state] = await store.jobs.states([JOB])
    assert state.through == NOW
    assert await store.jobs.soonest(9) == []


async def test_what_waits_is_let_go_when_the_turn_before_it_has_ended_and_not_earlier(store: SqliteStore) -> None:
    await adopted(store)
    first = await store.jobs.claim(firing(1), limit=9)
    assert (await store.jobs.claim(firing(2, overlap="queue"), limit=9)).stage == "waiting"
    assert (await store.jobs.claim(firing(3, overlap="queue"), limit=9)).stage == "skipped"
    assert (await store.jobs.fire(firing(2), limit=9)).stage == "waiting"
    assert first.event is not None
    await end(store, first.event.session_id)
    [held] = await store.jobs.waiting()
    assert held.wall == "hour-2"
    assert (await store.jobs.fire(firing(2), limit=9)).stage == "fired"
    assert (await store.jobs.fire(firing(2), limit=9)).again
    assert await store.jobs.waiting(JOB) == []


async def test_an_instant_behind_a_gate_sends_nothing_before_it_is_answered(store: SqliteStore) -> None:
    await adopted(store)
    assert (await store.jobs.claim(firing(1, gated=True), limit=9)).stage == "gating"
    assert (await store.ledger.counts()).accepted == 0
    assert (await store.jobs.claim(firing(2), limit=9)).reason == "its last gate is still being asked"
    assert (await store.jobs.fire(firing(1), limit=9)).event is not None
    assert await verdicts(store) == ["ran", "skipped"]


async def test_gates_that_were_being_asked_are_unknown_after_a_crash(store: SqliteStore) -> None:
    await adopted(store)
    await store.jobs.claim(firing(1, gated=True), limit=9)
    assert await store.jobs.recover(reason="it stopped") == 1
    [instant] = await store.jobs.history(JOB, limit=9)
    assert (instant.verdict, instant.reason, instant.open) == ("unknown", "it stopped", False)
    assert (await store.jobs.fire(firing(1), limit=9)).again


async def test_a_row_is_written_once_however_often_it_is_accounted_for(store: SqliteStore) -> None:
    await adopted(store)
    rows = [Row(wall=f"hour-{n}", at=NOW + n * HOUR, stage="missed", reason="down") for n in range(3)]
    progress = Progress(through=NOW + 3 * HOUR, next=None, due=None)
    assert await store.jobs.account(JOB, rows[:2], progress) == 2
    assert await store.jobs.account(JOB, rows, progress) == 1
    assert await verdicts(store) == ["missed"] * 3


async def test_a_session_with_no_more_room_is_a_reason_to_skip(store: SqliteStore) -> None:
    await adopted(store)
    accepted = await store.inbox.accept(Arrival(source=ANN, content="hi", key="k", agent_id="echo", at=NOW), limit=9)
    asked = firing(1)
    asked = replace(asked, arrival=replace(asked.arrival, new_session=False, session_id=accepted.event.session_id))
    claimed = await store.jobs.claim(asked, limit=1)
    assert claimed.stage == "skipped"
    assert "already wait" in claimed.reason


@pytest.mark.parametrize("place", [ANN, None])
async def test_a_job_that_fails_ten_times_is_paused_and_its_owner_told_once(
    store: SqliteStore, place: Source | None
) -> None:
    await adopted(store)
    for n in range(1, 12):
        claimed = await store.jobs.claim(firing(n), limit=9)
        assert claimed.event is not None
        await end(store, claimed.event.session_id, failed=n > 1)
        if n < 11:
            assert await store.jobs.trip(JOB, most=10, to=place, at=NOW) is None
    tripped = await store.jobs.trip(JOB, most=10, to=place, at=NOW)
    assert tripped is not None
    assert "it would not" in tripped.why
    assert (await store.ledger.counts()).undelivered == (1 if place else 0)
    assert await store.jobs.trip(JOB, most=10, to=place, at=NOW) is None
    await store.jobs.resume(JOB)
    assert await store.jobs.trip(JOB, most=10, to=place, at=NOW) is None, "what failed before no longer counts"


async def test_a_pause_outlives_a_changed_schedule_and_a_file_that_was_away(store: SqliteStore) -> None:
    await adopted(store)
    assert await store.jobs.pause(JOB, "by hand")
    assert not await store.jobs.pause(JOB, "again")
    await store.jobs.retire([JOB])
    await adopted(store)
    [state] = await store.jobs.states([JOB])
    assert state.paused == "by hand"
    assert await store.jobs.resume(JOB)
    await store.jobs.retire([JOB])
    assert await store.jobs.page() == []


async def test_a_job_that_is_over_stays_over(store: SqliteStore) -> None:
    await adopted(store)
    await store.jobs.claim(firing(1, ends=True), limit=9)
    [state] = await store.jobs.states([JOB])
    assert (state.over, state.next, state.due) == (True, None, None)
