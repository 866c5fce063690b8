"""What is told of tasks between agents afterwards: why, replay, the ledger, and what it all cost."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

from picklebot.core.events import DispatchEvent
from picklebot.core.messages import Message
from picklebot.models.base import ModelReply, ModelRequest, Usage
from picklebot.testing import FakeChannel
from tests.cli.inside import command
from tests.flow.conftest import Daemon, Stored
from tests.flow.players import Answer, Line, Players, asks, call, crash, looking, results_of, says

PRICED = "claude-sonnet-5-5"  #: $2 a million tokens in, $10 out


async def test_why_shows_the_childs_turn_inside_the_call(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None], workspace: Path
) -> None:
    agents(pickle={}, cookie={})
    async with daemon(Players(pickle=asks("cookie", "crumbs?"), cookie=says("three")), channel) as app:
        asked = await channel.say_and_settle("hello")
        await channel.heard()
        [task] = [event for _, event in await app.store.log.after(0) if isinstance(event, DispatchEvent)]
        await channel.say("/why")
        in_the_chat = (await channel.heard())[1]
    for event_id in (asked.event_id, task.id):
        told = (await command(workspace, "why", event_id)).stdout.splitlines()
        places = [
            next(n for n, line in enumerate(told) if words in line)
            for words in (
                "message ",
                "subagent_dispatch(",
                "task for cookie",
                "accepted",
                "given to cookie",
                "step 1",
                "result ",
                "reply ",
            )
            if words not in {"accepted", "step 1"}
        ]
        assert places == sorted(places), told
        [call_line] = [line for line in told if "subagent_dispatch(" in line]
        [task_line] = [line for line in told if "task for cookie" in line]
        [result] = [line for line in told if "result " in line and '"three"' in line]
        assert task_line.index("task") > call_line.index("subagent"), "it stands below its call"
        assert result.index("result") > task_line.index("task")
        assert sum("asked about" in line for line in told) == 1
        assert len([line for line in told if "turn begun" in line]) == 2
    assert "task for cookie" in in_the_chat


async def test_parent_and_child_replay_as_they_were(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None], workspace: Path
) -> None:
    agents(pickle={}, cookie={})

    def look_first(request: ModelRequest) -> Line:
        return "found nothing" if results_of(request) else looking(1)

    async with daemon(Players(pickle=asks("cookie"), cookie=look_first), channel) as app:
        asked = await channel.say_and_settle("hello")
        await channel.heard()
        [task] = [event for _, event in await app.store.log.after(0) if isinstance(event, DispatchEvent)]
    for session in (asked.session_id, task.session_id):
        replayed = await command(workspace, "sessions", "replay", session)
        assert replayed.returncode == 0, replayed.stdout
        assert "identical: 1 turn" in replayed.stdout
        shown = await command(workspace, "sessions", "show", session)
        assert "found nothing" in shown.stdout
    listed = json.loads((await command(workspace, "events", "list", "--json")).stdout)
    assert [event["type"] for event in (each.get("event", each) for each in listed["events"])] == [
        "InboundEvent",
        "DispatchEvent",
        "DispatchResultEvent",
        "OutboundEvent",
    ]


class Priced(Players):
    """Is asked under a name whose price is known."""

    name = PRICED


def costing(dollars: float, line: Line) -> ModelReply:
    """Say something for so much money."""
    message = Message.assistant(line) if isinstance(line, str) else line
    assert isinstance(message, Message)
    reason = "tool_use" if message.calls() else "end_turn"
    return ModelReply(
        message=message, stop_reason=reason, usage=Usage(output_tokens=round(dollars * 100_000)), model=PRICED
    )


async def test_children_side_by_side_never_pass_their_callers_ceiling_together(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None], stored: Stored
) -> None:
    # A worst case is a little above 8 cents.
    agents(pickle={"budget": "{turn_usd: 0.3}"}, cookie={"max_concurrency": 8})

    def ask_eight(request: ModelRequest) -> Line:
        if done := results_of(request):
            return costing(0.0, f"{sum('crumbs' in each for each in done)} came back")
        return costing(0.01, Message("assistant", tuple(call("cookie", f"{n}", f"c{n}") for n in range(8))))

    async def crumbs(request: ModelRequest) -> Line:
        await asyncio.sleep(0.01)
        return costing(0.06, "crumbs")

    async with daemon(Priced(pickle=ask_eight, cookie=crumbs), channel):
        await channel.say("x")
        reply = (await channel.heard())[1]
    async with stored() as store:
        spent = sum(row.cost_usd for row in await store.ledger.spend("model"))
    assert 0.2 < spent <= 0.3
    assert reply.startswith(("3 came back", "4 came back", "I stopped: its next step could pass the turn's budget"))


async def test_what_a_child_spent_before_a_crash_still_counts_for_its_caller(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None], stored: Stored
) -> None:
    agents(pickle={"budget": "{turn_usd: 0.3}"}, cookie={})
    asked = asyncio.Event()

    async def dear(request: ModelRequest) -> Line:
        if not results_of(request):
            return costing(0.2, looking(1))
        asked.set()
        await asyncio.Event().wait()
        return "never"

    async with daemon(Priced(pickle=asks("cookie"), cookie=dear), channel, grace=0.01):
        await channel.say("x")
        await asked.wait()
    async with stored() as store:
        await crash(store)
    again: Answer = lambda request: costing(0.05, looking(len(request.messages)))  # noqa: E731
    async with daemon(Priced(pickle=asks("cookie"), cookie=again), channel):
        words = (await channel.heard())[1]
    assert "could pass the turn's budget of $0.30" in words
    async with stored() as store:
        assert sum(row.cost_usd for row in await store.ledger.spend("model")) <= 0.3


async def test_what_a_day_refuses_a_child_parks_its_caller_and_both_go_on_when_the_owner_lifts_it(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None], workspace: Path
) -> None:
    with (workspace / "config.yaml").open("a") as file:
        file.write("limits: {day_usd: 0.1}\n")  # a worst case is a little above 8 cents
    agents(pickle={}, cookie={})

    def dear(request: ModelRequest) -> Line:
        done = results_of(request)
        return costing(0.0, done[0]) if done else costing(0.05, Message("assistant", (call("cookie", "x"),)))

    owner = FakeChannel("cli")
    async with daemon(Priced(pickle=dear, cookie=lambda request: costing(0.01, "crumbs")), channel, owner) as app:
        await channel.say("x")
        words = (await channel.heard())[1]
        assert words.startswith("I have to wait: cookie, whom I asked, has to wait: today's budget of $0.10 is used up")
        await owner.say("/approve day")
        await owner.heard()
        assert json.loads((await channel.heard())[1])["result"] == "crumbs"
        assert (await app.store.ledger.counts()).open == 0
