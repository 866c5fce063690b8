"""Spend has a ceiling (P12), through the front door; the sums are those of the store."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from picklebot.core.messages import Message
from picklebot.models.base import ModelReply, ModelRequest, Usage
from picklebot.testing import FakeChannel, FakeClock, ScriptedModel
from picklebot.testing.model import Line
from tests.flow.conftest import Daemon, Stored


class Priced(ScriptedModel):
    """Is asked under a name whose price is known: $2 a million tokens in, $10 out."""

    name = "claude-sonnet-5-5"


class Endless(Priced):
    """Says the same line whenever it is asked."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    async def _next(self, request: ModelRequest) -> ModelReply:
        self._script = [self._line]
        return await super()._next(request)


def costing(dollars: float, *blocks: dict[str, object]) -> ModelReply:
    usage = Usage(output_tokens=round(dollars * 100_000))
    message = Message("assistant", blocks or ({"type": "text", "text": "done"},))
    return ModelReply(message=message, stop_reason="tool_use" if blocks else "end_turn", usage=usage, model=Priced.name)


def settle(workspace: Path, limits: str) -> None:
    with (workspace / "config.yaml").open("a") as file:
        file.write(f"limits: {{{limits}}}\n")


async def spent(stored: Stored) -> float:
    async with stored() as store:
        return sum(row.cost_usd for row in await store.ledger.spend("model"))


def slowly(reply: ModelReply) -> Callable[[ModelRequest], Awaitable[ModelReply]]:
    async def answer(request: ModelRequest) -> ModelReply:
        await asyncio.sleep(0.005)
        return reply

    return answer


@pytest.mark.parametrize(
    ("limits", "budget", "ceiling"),
    [
        ("day_usd: 1, max_concurrency: 64", "{turn_usd: 1}", 1.0),
        ("day_usd: 5, max_concurrency: 64", "{day_usd: 0.5}", 0.5),
    ],
    ids=["daemon", "agent"],
)
async def test_64_turns_at_once_never_pass_the_ceiling(
    daemon: Daemon,
    channel: FakeChannel,
    agent: Callable[..., None],
    workspace: Path,
    stored: Stored,
    limits: str,
    budget: str,
    ceiling: float,
) -> None:
    settle(workspace, limits)
    agent("echo", max_concurrency=64, budget=budget)
    async with daemon(Endless(slowly(costing(0.03))), channel):
        for n in range(64):
            await channel.say("x", peer=f"p{n}")
        said = [text for _, text in [await channel.heard() for _ in range(64)]]
    paid = said.count("done")
    assert sum("is used up" in text for text in said) == 64 - paid
    # A worst case is a little above 8 cents, and what is refused for it stays below the ceiling by less than that.
    assert ceiling - 0.09 < await spent(stored) <= ceiling


async def until_heard(channel: FakeChannel, clock: FakeClock, **step: float) -> tuple[str, str]:
    """Let time pass until a reply comes."""
    hearing = asyncio.create_task(channel.heard())
    while not hearing.done():
        await asyncio.sleep(0.01)
        clock.advance(**step)
    return await hearing


async def test_a_turn_that_a_day_refuses_is_told_once_and_goes_on_after_local_midnight(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path
) -> None:
    settle(workspace, "day_usd: 0.1")
    with (workspace / "config.yaml").open("a") as file:
        file.write("timezone: Asia/Tokyo\n")  # the clock stands at nine in the morning there
    async with daemon(Priced(costing(0.05), "the next day"), channel) as app:
        await channel.say("first")
        assert (await channel.heard())[1] == "done"
        await channel.say("second")
        words = "I have to wait: today's budget of $0.10 is used up ($0.05 spent)."
        assert (await channel.heard())[1].startswith(words)
        await channel.say_and_settle("third")
        clock.advance(hours=14, minutes=59)
        assert channel.silent
        assert (await app.store.ledger.counts()).open == 2, "they wait, and have not failed"
        assert await until_heard(channel, clock, seconds=30) == ("ann", "the next day")


async def test_stop_calls_off_what_waits_for_midnight(daemon: Daemon, channel: FakeChannel, workspace: Path) -> None:
    settle(workspace, "day_usd: 0.1")
    model = Priced(costing(0.05))
    async with daemon(model, channel) as app:
        await channel.say("first")
        await channel.heard()
        await channel.say("second")
        assert "I have to wait" in (await channel.heard())[1]
        await channel.say("/stop")
        assert {(await channel.heard())[1] for _ in range(2)} == {"Stopping.", "Stopped."}
        assert (await app.store.ledger.counts()).open == 0
    assert len(model.requests) == 1


async def test_a_restart_forgets_neither_what_was_spent_nor_what_was_told(
    daemon: Daemon, channel: FakeChannel, workspace: Path
) -> None:
    settle(workspace, "day_usd: 0.1")
    async with daemon(Priced(costing(0.05)), channel):
        await channel.say("first")
        await channel.heard()
    for expected in ("ann", "bob"):
        async with daemon(Priced(), channel):
            await channel.say("again", peer=expected)
            assert "is used up" in (await channel.heard())[1]
    assert channel.silent


async def test_the_owner_lifts_a_budget_for_today_and_what_waits_goes_on_at_once(
    daemon: Daemon, clock: FakeClock, workspace: Path
) -> None:
    settle(workspace, "day_usd: 0.1")
    owner, other = FakeChannel("cli"), FakeChannel("fake")
    model = Priced(costing(0.05), "on it", "in between")
    async with daemon(model, owner, other) as app:
        await other.say("first")
        await other.heard()
        await other.say("second")
        await other.heard()
        await other.say("/approve")
        assert "Only the owner" in (await other.heard())[1]
        await owner.say("/approve")
        assert "1 turn goes on now" in (await owner.heard())[1]
        assert (await other.heard())[1] == "on it"
        await owner.say("/approve")
        assert (await owner.heard())[1] == "Nothing waits for an answer."
        await owner.say("/usage")
        assert "left of $0.20" in (await owner.heard())[1]
        assert (await app.store.refusals.lifts(clock.now())) == {"day": 1}
    clock.advance(hours=1)
    async with daemon(Priced(), owner):
        await owner.say("/usage")
        assert "left of $0.20" in (await owner.heard())[1], "a lift survives a restart"
    clock.advance(days=1)
    async with daemon(Priced(), owner):
        await owner.say("/usage")
        assert "left of $0.10" in (await owner.heard())[1], "and is forgotten at midnight"


async def test_what_is_refused_again_after_a_lift_is_told_again(daemon: Daemon, workspace: Path) -> None:
    settle(workspace, "day_usd: 0.1")
    owner, other = FakeChannel("cli"), FakeChannel("fake")
    async with daemon(Priced(costing(0.09), costing(0.09)), owner, other):
        await other.say("first")
        await other.heard()
        await other.say("second")
        assert "$0.10 is used up" in (await other.heard())[1]
        await owner.say("/approve day")
        assert (await other.heard())[1] == "done"
        await other.say("third")
        assert "$0.20 is used up" in (await other.heard())[1]


async def test_a_jobs_own_day_refuses_it_alone_and_says_so_once_a_day(
    daemon: Daemon, clock: FakeClock, workspace: Path
) -> None:
    (workspace / "crons" / "brief").mkdir(parents=True)
    (workspace / "crons" / "brief" / "CRON.md").write_text(
        "---\nname: Brief\nagent: echo\nschedule: 0 9 * * *\nbudget: {day_usd: 0.1}\n---\nSum up the news.\n"
    )
    jobs, person = FakeChannel("cron"), FakeChannel("fake")
    async with daemon(Priced(costing(0.05), "still here"), jobs, person) as app:
        await jobs.say("first", peer="brief")
        assert await jobs.heard() == ("brief", "done")
        for _ in range(3):  # a session of its own each time, as a job has
            await jobs.say_and_settle("more", peer="brief", new_session=True)
        assert "today's budget of the job cron:brief of $0.10 is used up" in (await jobs.heard())[1]
        await person.say("hello")
        assert (await person.heard())[1] == "still here"
        assert [(each.budget, each.turns) for each in await app.store.refusals.waiting(clock.now())] == [
            ("cron:brief", 3)
        ]
    assert jobs.silent


LOOK = ({"type": "tool_use", "id": "c", "name": "glob", "input": {"pattern": "*"}},)


def looping() -> Line:
    """Return a line that asks for another file each time, for ever."""
    count = 0

    def line(request: ModelRequest) -> ModelReply:
        nonlocal count
        count += 1
        return costing(0.02, {**LOOK[0], "input": {"pattern": f"{count}*"}})

    return line


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ("turn_steps: 3, turn_usd: 9, day_usd: 9", "I stopped: it took more than 3 steps."),
        (
            "turn_steps: 9999, turn_seconds: 0.3, turn_usd: 900, day_usd: 900",
            "I stopped: it took longer than 0 seconds.",
        ),
        ("turn_usd: 0.2, day_usd: 9", "I stopped: its next step could pass the turn's budget of $0.20 ($0.12 spent)."),
    ],
    ids=["steps", "seconds", "money"],
)
async def test_a_model_that_loops_for_ever_is_stopped_and_the_user_reads_why(
    daemon: Daemon, channel: FakeChannel, workspace: Path, stored: Stored, limits: str, words: str
) -> None:
    settle(workspace, limits)
    async with daemon(Endless(looping()), channel):
        await channel.say("go round in circles")
        assert await channel.heard() == ("ann", words)
    if "$0.20" in words:
        assert await spent(stored) == pytest.approx(0.12)
