"""Jobs begin at their moments, and every instant is explained."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from picklebot.errors import ModelRejected
from picklebot.testing import FakeChannel, FakeClock, ScriptedModel
from tests.flow.conftest import Daemon
from tests.flow.jobs import rows, scheduled, told, until, write_job


async def test_a_job_dropped_in_begins_at_its_time_without_a_restart(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path
) -> None:
    model = ScriptedModel("good morning", "good evening")
    async with daemon(model, channel) as app:
        job = write_job(workspace, "brief", "Greet me.", schedule="0 9,18 * * *", timezone="Europe/Berlin")
        await scheduled(app, job)
        clock.advance(hours=7, minutes=59)
        await asyncio.sleep(0)
        assert model.requests == []
        clock.advance(minutes=1)
        assert await channel.heard() == ("ann", "good morning")
        clock.advance(hours=9)
        assert await channel.heard() == ("ann", "good evening")
        history = await rows(app, job, 2)
    assert told(history) == [("2030-01-01T09:00", "ran"), ("2030-01-01T18:00", "ran")]
    asked = model.requests[0].messages[-1].text
    assert "[Job brief, due on Tuesday 2030-01-01 at 09:00 (Europe/Berlin)]" in asked
    assert "Greet me." in asked


@pytest.mark.parametrize("when", [{"schedule": "0 * * * *", "one_off": "true"}, {"at": "2030-01-01T01:00"}])
async def test_what_begins_once_begins_once_and_its_folder_is_put_away(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path, when: dict[str, str]
) -> None:
    model = ScriptedModel("done")
    job = write_job(workspace, "once", timezone="UTC", **when)
    async with daemon(model, channel) as app:
        await scheduled(app, job)
        clock.advance(hours=1)
        assert await channel.heard() == ("ann", "done")

        async def moved() -> bool:
            return (workspace / "crons/.done/once/CRON.md").exists()

        await until(moved)
        clock.advance(hours=3)
        assert len(await rows(app, job, 1)) == 1
    async with daemon(model, channel) as app:
        clock.advance(hours=3)
        assert told(await rows(app, job, 1)) in ([("2030-01-01T01:00", "ran")], [("2030-01-01T01:00:00+00:00", "ran")])
    assert len(model.requests) == 1


async def test_a_job_that_could_not_be_put_away_does_not_begin_again(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path
) -> None:
    (workspace / "crons").mkdir()
    (workspace / "crons/.done").write_text("in the way")
    job = write_job(workspace, "once", one_off="true")
    model = ScriptedModel("done")
    async with daemon(model, channel) as app:
        await scheduled(app, job)
        clock.advance(hours=1)
        assert await channel.heard() == ("ann", "done")
    (workspace / "crons/.done").unlink()
    clock.advance(hours=1)
    async with daemon(model, channel) as app:

        async def moved() -> bool:
            return (workspace / "crons/.done/once/CRON.md").exists()

        await until(moved)
        assert len(await rows(app, job, 1)) == 1


DOWN = 42


@pytest.mark.parametrize(
    ("policy", "begun"),
    [("skip", []), ("once", [42]), ("all", list(range(1, 43))), ("within:40m", [42]), ("within:10m", [])],
)
async def test_what_was_missed_while_down_for_42_hours_is_treated_as_the_job_says(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path, policy: str, begun: list[int]
) -> None:
    job = write_job(workspace, "hourly", missed=policy)
    async with daemon(ScriptedModel(), channel) as app:
        await scheduled(app, job)
    clock.advance(hours=DOWN, minutes=30)
    model = ScriptedModel(*["late"] * len(begun))
    async with daemon(model, channel) as app:
        history = await rows(app, job, DOWN)
    verdicts = {n + 1: instant.verdict for n, instant in enumerate(sorted(history, key=lambda each: each.at))}
    assert verdicts == {n: "late" if n in begun else "missed" for n in range(1, DOWN + 1)}
    assert len(model.requests) == len(begun)
    if begun:
        assert "begun" in next(i.reason for i in history if i.verdict == "late")
        assert "ago]" in model.requests[0].messages[-1].text


async def test_an_instant_in_time_stands_for_those_that_were_missed(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path
) -> None:
    job = write_job(workspace, "hourly")
    async with daemon(ScriptedModel(), channel) as app:
        await scheduled(app, job)
    clock.advance(hours=3, seconds=20)
    async with daemon(ScriptedModel("in time"), channel) as app:
        assert [instant.verdict for instant in await rows(app, job, 3)] == ["missed", "missed", "ran"]


async def test_a_great_many_missed_instants_share_a_row(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path
) -> None:
    job = write_job(workspace, "often", schedule="", every="1s", missed="skip")
    async with daemon(ScriptedModel(), channel) as app:
        await scheduled(app, job)
    clock.advance(days=365)
    async with daemon(ScriptedModel(*["now"] * 70), channel) as app:

        async def accounted() -> bool:
            [state] = await app.store.jobs.states([job])
            return state.through >= clock.now()

        await until(accounted)
        history = await app.store.jobs.history(job, limit=20_000)
    shared = [instant for instant in history if instant.wall.startswith("before")]
    assert len(shared) == 1
    assert shared[0].reason.startswith(f"{365 * 86400 - 10_000:,} instants")
    assert len(history) == 10_001


async def test_an_instant_whose_agent_is_missing_says_so(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path
) -> None:
    job = write_job(workspace, "lost", agent="nobody")
    async with daemon(ScriptedModel(), channel) as app:
        await scheduled(app, job)
        clock.advance(hours=1)
        [instant] = await rows(app, job, 1)
    assert instant.verdict == "failed"
    assert "no agent is called 'nobody'" in instant.reason


async def test_a_paused_job_writes_why_it_does_not_begin(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path
) -> None:
    job = write_job(workspace, "resting")
    async with daemon(ScriptedModel("back"), channel) as app:
        await scheduled(app, job)
        await app.store.jobs.pause(job, "by hand")
        clock.advance(hours=1)
        [instant] = await rows(app, job, 1)
        assert (instant.verdict, instant.reason) == ("skipped", "the job is paused: by hand")
        await app.store.jobs.resume(job)
        clock.advance(hours=1)
        assert await channel.heard() == ("ann", "back")


async def test_a_job_that_fails_ten_times_in_a_row_is_paused(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path
) -> None:
    job = write_job(workspace, "failing", deliver="none")
    model = ScriptedModel(*[ModelRejected("I will not")] * 10)
    async with daemon(model, channel) as app:
        await scheduled(app, job)
        for n in range(1, 13):
            clock.advance(hours=1)
            await rows(app, job, n)
            if n == 10:

                async def paused() -> bool:
                    return (await app.store.jobs.states([job]))[0].paused is not None

                await until(paused)
        history = await rows(app, job, 12)
    assert [instant.verdict for instant in history] == ["failed"] * 10 + ["skipped"] * 2
    assert "failed 10 times in a row" in history[-1].reason


async def test_a_clock_set_back_fires_nothing_twice_and_leaves_nobody_waiting_for_the_future(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path
) -> None:
    job = write_job(workspace, "hourly")
    async with daemon(ScriptedModel("1", "2", "3"), channel) as app:
        await scheduled(app, job)
        clock.advance(days=3650)  # the clock goes wrong
        assert await channel.heard() == ("ann", "1")
        await rows(app, job, 1)
        clock.advance(days=-3650)
        await clock.asleep(2)
        clock.advance(minutes=2)

        async def back() -> bool:
            return (await app.store.jobs.states([job]))[0].next == clock.now().replace(hour=1, minute=0)

        await until(back)
        clock.advance(hours=1)
        assert await channel.heard() == ("ann", "2")
        await rows(app, job, 2)
        clock.advance(minutes=-20)
        clock.advance(minutes=20)
        clock.advance(hours=1)
        assert await channel.heard() == ("ann", "3")
    assert channel.silent


async def test_a_changed_schedule_counts_from_now(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path
) -> None:
    job = write_job(workspace, "moving", schedule="", every="50m")
    async with daemon(ScriptedModel("new"), channel) as app:
        first = await scheduled(app, job)
        clock.advance(minutes=30)
        write_job(workspace, "moving", schedule="", every="40m")

        async def changed() -> bool:
            return (await app.store.jobs.states([job]))[0].fingerprint != first.fingerprint

        await until(changed)
        [state] = await app.store.jobs.states([job])
        assert (state.next - clock.now()).total_seconds() == 40 * 60 if state.next else False
        clock.advance(minutes=20)
        await asyncio.sleep(0)
        clock.advance(minutes=20)
        assert await channel.heard() == ("ann", "new")


async def test_a_job_that_is_removed_does_not_begin(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path, agent: Callable[..., None]
) -> None:
    job = write_job(workspace, "gone")
    async with daemon(ScriptedModel(), channel) as app:
        await scheduled(app, job)
        (workspace / "crons/gone/CRON.md").unlink()
        (workspace / "crons/gone").rmdir()

        async def forgotten() -> bool:
            return not await app.store.jobs.states([job])

        await until(forgotten)
        clock.advance(hours=2)
        assert await app.store.jobs.history(job, limit=5) == []
