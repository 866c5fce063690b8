"""One agent looks around by itself: when, at what, at what price, and what of it is heard."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from picklebot.app import App
from picklebot.core.messages import Message
from picklebot.core.replies import ModelReply, Usage
from picklebot.models.base import ModelRequest
from picklebot.testing import FakeChannel, FakeClock, ScriptedModel
from tests.flow.conftest import Daemon
from tests.flow.jobs import rows, told
from tests.flow.unasked import calls

JOB = "heartbeat:echo"
SETTINGS = "heartbeat: {agent: echo, every: 30m%s}\ntimezone: UTC\n"


@pytest.fixture
def terminal() -> FakeChannel:
    return FakeChannel("cli")


@pytest.fixture
def beating(daemon: Daemon, workspace: Path, terminal: FakeChannel, clock: FakeClock) -> Callable[..., object]:
    """Run a daemon with a heartbeat: `spoken` is what the owner says first, `points` what HEARTBEAT.md holds."""

    @asynccontextmanager
    async def running(
        model: ScriptedModel, *, points: str | None = "- look at the tap", spoken: bool = True, settings: str = ""
    ) -> AsyncIterator[App]:
        config = workspace / "config.yaml"
        if "heartbeat" not in config.read_text():
            config.write_text(config.read_text() + SETTINGS % settings)
        if points is not None:
            (workspace / "HEARTBEAT.md").write_text(points)
        async with daemon(model, terminal) as app:
            if spoken:
                await terminal.say("/help")
                await terminal.heard()
            await clock.asleep(2)
            yield app

    return running


async def beat(app: App, clock: FakeClock, count: int) -> tuple[str, str]:
    """Let half an hour pass; return how the beat ended, once there are `count`."""
    await clock.asleep(2)
    clock.advance(minutes=30)
    history = await rows(app, JOB, count)
    return history[-1].verdict, history[-1].reason


async def test_a_beat_reads_the_list_and_speaks_in_the_owners_session(
    beating: Callable[..., object], terminal: FakeChannel, clock: FakeClock, workspace: Path
) -> None:
    model = ScriptedModel("hello", "The tap drips.", "The cat is out.")
    async with beating(model) as app:  # type: ignore[attr-defined]  # an async context manager
        await terminal.say("good day")
        await terminal.heard()
        assert (await beat(app, clock, 1))[0] == "ran"
        assert await terminal.heard() == ("ann", "The tap drips.")
        (workspace / "HEARTBEAT.md").write_text("- look for the cat")
        await beat(app, clock, 2)
        assert await terminal.heard() == ("ann", "The cat is out.")
        assert len(await app.store.sessions.recent()) == 1
    first, second = (request.messages[-1].text for request in model.requests[1:])
    assert "good day" in model.requests[1].messages[0].text
    assert "This is a heartbeat:" in first
    assert "look at the tap" in first
    assert "look for the cat" in second


async def test_a_heartbeat_without_a_session_of_the_owners_has_its_own(
    beating: Callable[..., object], terminal: FakeChannel, clock: FakeClock, agent: Callable[..., None], workspace: Path
) -> None:
    agent("scout")
    config = workspace / "config.yaml"
    config.write_text(config.read_text() + "heartbeat: {agent: scout, every: 30m}\n")
    model = ScriptedModel("one", "two")
    async with beating(model) as app:  # type: ignore[attr-defined]  # an async context manager
        for count, word in enumerate(("one", "two"), start=1):
            await clock.asleep(2)
            clock.advance(minutes=30)
            assert await terminal.heard() == ("ann", word)
            await rows(app, "heartbeat:scout", count)
        sessions = [session for session in await app.store.sessions.recent() if session.agent_id == "scout"]
        assert [str(session.source) for session in sessions] == ["heartbeat:scout"]


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        (None, "there is no HEARTBEAT.md"),
        ("", "HEARTBEAT.md asks for nothing"),
        ("# List\n<!-- nothing yet -->\n", "HEARTBEAT.md asks for nothing"),
    ],
)
async def test_a_beat_with_nothing_to_look_at_is_left_out_and_says_why(
    beating: Callable[..., object], clock: FakeClock, points: str | None, reason: str
) -> None:
    model = ScriptedModel()
    async with beating(model, points=points) as app:  # type: ignore[attr-defined]  # an async context manager
        assert await beat(app, clock, 1) == ("skipped", reason)
    assert model.requests == []


async def test_there_is_no_beat_until_an_owner_has_spoken(
    beating: Callable[..., object], terminal: FakeChannel, clock: FakeClock
) -> None:
    model = ScriptedModel("here I am")
    async with beating(model, spoken=False) as app:  # type: ignore[attr-defined]  # an async context manager
        assert await beat(app, clock, 1) == ("skipped", "nobody has spoken yet whom it could concern")
        await terminal.say("/help")
        await terminal.heard()
        assert (await beat(app, clock, 2))[0] == "ran"
        assert await terminal.heard() == ("ann", "here I am")


async def test_a_beat_is_left_out_while_its_session_is_busy(
    beating: Callable[..., object], terminal: FakeChannel, clock: FakeClock
) -> None:
    held: list[App] = []

    async def meanwhile(request: ModelRequest) -> str:
        assert await beat(held[0], clock, 1) == ("skipped", "its session is busy")
        return "done"

    async with beating(ScriptedModel(meanwhile)) as app:  # type: ignore[attr-defined]  # an async context manager
        held.append(app)
        await terminal.say("take your time")
        assert await terminal.heard() == ("ann", "done")


async def test_beats_keep_to_the_active_hours_past_midnight_too(
    beating: Callable[..., object], terminal: FakeChannel, clock: FakeClock
) -> None:
    model = ScriptedModel("awake", "late")
    hours = ", active_hours: '23:00-01:00'"
    async with beating(model, settings=hours) as app:  # type: ignore[attr-defined]  # an async context manager
        assert (await beat(app, clock, 1))[0] == "ran"
        assert await terminal.heard() == ("ann", "awake")
        assert await beat(app, clock, 2) == ("skipped", "it is outside the active hours")
        await clock.asleep(2)
        clock.advance(hours=22)
        assert await terminal.heard() == ("ann", "late")


@pytest.mark.parametrize(
    ("reply", "heard"),
    [
        ("HEARTBEAT_OK", None),
        ("HEARTBEAT_OK\n\n" + "x" * 300, None),
        ("x" * 300 + " **HEARTBEAT_OK**", None),
        ("HEARTBEAT_OK " + "x" * 301, "x" * 301),
        ("x" * 301 + "\nHEARTBEAT_OK", "x" * 301),
        ("I say HEARTBEAT_OK no more: it drips.", "I say HEARTBEAT_OK no more: it drips."),
    ],
)
async def test_a_reply_that_says_all_is_well_is_kept_and_not_delivered(
    beating: Callable[..., object], terminal: FakeChannel, clock: FakeClock, reply: str, heard: str | None
) -> None:
    async with beating(ScriptedModel(reply, "sentinel")) as app:  # type: ignore[attr-defined]  # a context manager
        assert (await beat(app, clock, 1))[0] == "ran"
        await terminal.say("still there?")
        said = [await terminal.heard() for _ in range(2 if heard else 1)]
        assert said == [("ann", words) for words in ((heard, "sentinel") if heard else ("sentinel",))]
        [session] = [each for each in await app.store.sessions.recent() if str(each.source) == "cli:ann"]
        assert reply in [message.text for message in await app.store.sessions.transcript(session.id)]


@pytest.mark.parametrize("deliver", ["none", "cli:bob"])
async def test_a_beat_reports_where_settings_say(
    beating: Callable[..., object], terminal: FakeChannel, clock: FakeClock, deliver: str
) -> None:
    async with beating(ScriptedModel("It drips."), settings=f", deliver: '{deliver}'") as app:  # type: ignore[attr-defined]  # a context manager
        assert (await beat(app, clock, 1))[0] == "ran"
        if deliver == "none":
            assert terminal.silent
        else:
            assert await terminal.heard() == ("bob", "It drips.")


async def test_restarts_neither_double_a_beat_nor_forget_it(
    beating: Callable[..., object], terminal: FakeChannel, clock: FakeClock
) -> None:
    model = ScriptedModel("one", "two")
    async with beating(model) as app:  # type: ignore[attr-defined]  # an async context manager
        await beat(app, clock, 1)
        await terminal.heard()
    async with beating(model) as app:  # type: ignore[attr-defined]  # an async context manager
        assert len(await rows(app, JOB, 1)) == 1
    clock.advance(hours=2)
    async with beating(model, spoken=False) as app:  # type: ignore[attr-defined]  # an async context manager
        assert await terminal.heard() == ("ann", "two")
        history = await rows(app, JOB, 5)
    assert [verdict for _, verdict in told(history)] == ["ran", "missed", "missed", "missed", "ran"]
    assert len(model.requests) == 2


async def test_a_beat_ends_after_a_few_steps(
    beating: Callable[..., object], terminal: FakeChannel, clock: FakeClock
) -> None:
    model = ScriptedModel(*(calls("search_memory", f"c{n}", query=f"tap {n}") for n in range(30)))
    async with beating(model) as app:  # type: ignore[attr-defined]  # an async context manager
        assert (await beat(app, clock, 1))[0] == "failed"
        assert await terminal.heard() == ("ann", "I stopped: it took more than 12 steps.")
    assert len(model.requests) == 12


async def test_after_a_beat_that_failed_the_next_ones_rest(
    beating: Callable[..., object], terminal: FakeChannel, clock: FakeClock
) -> None:
    model = ScriptedModel(*(calls("search_memory", f"c{n}", query=f"tap {n}") for n in range(12)), "mended")
    async with beating(model) as app:  # type: ignore[attr-defined]  # an async context manager
        assert (await beat(app, clock, 1))[0] == "failed"
        await terminal.heard()
        assert await beat(app, clock, 2) == ("skipped", "the last one failed; it rests until 01:30")
        assert (await beat(app, clock, 3))[0] == "ran"
        assert await terminal.heard() == ("ann", "mended")


async def test_beats_end_for_today_when_their_money_is_spent(
    beating: Callable[..., object], terminal: FakeChannel, clock: FakeClock
) -> None:
    dear = ModelReply(
        message=Message.assistant("HEARTBEAT_OK"),
        stop_reason="end_turn",
        usage=Usage(output_tokens=60_000),
        model="claude-sonnet-5-5",
    )
    model = ScriptedModel(dear, "a new day")
    async with beating(model) as app:  # type: ignore[attr-defined]  # an async context manager
        assert (await beat(app, clock, 1))[0] == "ran"
        assert await beat(app, clock, 2) == ("skipped", "today's $0.50 for it are spent (heartbeat.day_usd)")
        await clock.asleep(2)
        clock.advance(hours=23)
        assert await terminal.heard() == ("ann", "a new day")
