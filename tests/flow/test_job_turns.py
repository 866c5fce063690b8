"""The turns of jobs: one at a time, behind a gate, in the right session, and told to whom they should."""

import asyncio
from pathlib import Path

import pytest

from picklebot.models.base import ModelRequest
from picklebot.testing import FakeChannel, FakeClock, ScriptedModel
from tests.flow.conftest import Daemon
from tests.flow.jobs import rows, scheduled, until, write_job


class Held:
    """A model's answer that waits until it is let go."""

    def __init__(self) -> None:
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def line(self, request: ModelRequest) -> str:
        self.asked.set()
        await self.go.wait()
        return "at last"


async def test_an_instant_is_skipped_while_the_turn_before_it_runs(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path
) -> None:
    held = Held()
    job = write_job(workspace, "slow")
    async with daemon(ScriptedModel(held.line, "again"), channel) as app:
        await scheduled(app, job)
        clock.advance(hours=1)
        await held.asked.wait()
        clock.advance(minutes=60)
        assert (await rows(app, job, 1))[1].reason == "its last turn has not ended"
        running = (await app.store.jobs.history(job, limit=5))[0]
        assert (running.verdict, running.reason, running.open) == ("ran", "its turn has not ended", True)
        held.go.set()
        assert await channel.heard() == ("ann", "at last")
        clock.advance(hours=1)
        assert await channel.heard() == ("ann", "again")
        assert [i.verdict for i in await rows(app, job, 3)] == ["ran", "skipped", "ran"]


async def test_with_overlap_queue_one_instant_waits_for_the_turn_before_it(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path
) -> None:
    held = Held()
    job = write_job(workspace, "slow", overlap="queue")
    async with daemon(ScriptedModel(held.line, "after it"), channel) as app:
        await scheduled(app, job)
        clock.advance(hours=1)
        await held.asked.wait()
        clock.advance(hours=1)

        async def waits() -> bool:
            return bool(await app.store.jobs.waiting(job))

        await until(waits)
        clock.advance(hours=1)
        assert "another one waits" in (await rows(app, job, 1))[2].reason
        held.go.set()
        assert [await channel.heard(), await channel.heard()] == [("ann", "at last"), ("ann", "after it")]
        assert [i.verdict for i in await rows(app, job, 3)] == ["ran", "ran", "skipped"]


@pytest.mark.parametrize(("gate", "opens"), [("echo three new mails", True), ("echo none; exit 3", False)])
async def test_a_gate_says_whether_the_job_begins_and_what_it_is_told(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path, gate: str, opens: bool
) -> None:
    job = write_job(workspace, "gated", "Look.", gate=gate)
    model = ScriptedModel("seen")
    async with daemon(model, channel) as app:
        await scheduled(app, job)
        clock.advance(hours=1)
        [instant] = await rows(app, job, 1)
    assert instant.verdict == ("ran" if opens else "skipped")
    if opens:
        assert "What the job's gate wrote:\nthree new mails" in model.requests[0].messages[-1].text
    else:
        assert instant.reason == "its gate said no, with exit code 3"
        assert model.requests == []


async def test_an_instant_whose_gate_was_being_asked_at_a_crash_is_unknown_and_not_begun_again(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path
) -> None:
    job = write_job(workspace, "gated", gate="sleep 60")
    async with daemon(ScriptedModel(), channel, grace=0.1) as app:
        await scheduled(app, job)
        clock.advance(hours=1)

        async def asked() -> bool:
            return any(instant.open for instant in await app.store.jobs.history(job, limit=5))

        await until(asked)
    async with daemon(ScriptedModel(), channel) as app:
        [instant] = await rows(app, job, 1)
    assert instant.verdict == "unknown"
    assert "gate" in instant.reason


async def test_a_reply_that_is_delivered_nowhere_stays_in_the_transcript(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path
) -> None:
    job = write_job(workspace, "quiet", deliver="none")
    async with daemon(ScriptedModel("to nobody"), channel) as app:
        await scheduled(app, job)
        clock.advance(hours=1)
        await rows(app, job, 1)
        [session] = await app.store.sessions.recent()
        assert (await app.store.sessions.transcript(session.id))[-1].text == "to nobody"
        assert (await app.store.ledger.counts()).undelivered == 0
    assert channel.silent


@pytest.mark.parametrize(("kind", "sessions"), [("fresh", 2), ("keep", 1)])
async def test_a_job_speaks_in_a_fresh_session_or_in_its_own(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path, kind: str, sessions: int
) -> None:
    job = write_job(workspace, "talk", session=kind)
    async with daemon(ScriptedModel("a", "b"), channel) as app:
        await scheduled(app, job)
        for expected in "ab":
            clock.advance(hours=1)
            assert await channel.heard() == ("ann", expected)
        await rows(app, job, 2)
        assert len(await app.store.sessions.recent()) == sessions


async def test_a_job_speaks_in_the_session_it_names_or_fails_with_words(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path
) -> None:
    model = ScriptedModel("hello", "in there")
    async with daemon(model, channel) as app:
        session = (await channel.say_and_settle("hi")).session_id
        await channel.heard()
        named = write_job(workspace, "named", session=session)
        gone = write_job(workspace, "gone", session="nowhere")
        await scheduled(app, named)
        await scheduled(app, gone)
        clock.advance(hours=1)
        assert await channel.heard() == ("ann", "in there")
        [instant] = await rows(app, gone, 1)
        assert (instant.verdict, instant.event_id) == ("failed", None)
        assert "no session 'nowhere'" in instant.reason
        assert len(await app.store.sessions.recent()) == 1
    assert len(model.requests[1].messages) == 3
