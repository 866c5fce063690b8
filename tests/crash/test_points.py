"""Killed at every moment that can be named: what is done afterwards, and what is never done again."""

import asyncio
import signal
from collections.abc import Callable, Sequence

import pytest

from tests.crash.daemons import Start, cold
from tests.crash.habits import Habits
from tests.crash.judge import judge
from tests.crash.moments import Aim, MomentKind
from tests.crash.promises import KILLED
from tests.crash.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")
MakeWorld = Callable[..., World]


async def settle(world: World) -> Sequence[str]:
    """Let the daemon finish, check that nothing at all is wrong, and return what people were told."""
    assert await world.drain()
    findings = judge(world.evidence())
    assert not findings.verdicts, str(findings)
    return [entry.content for entry in world.platform.log if entry.kind == "reply"]


def runs(world: World, tool: str) -> int:
    return sum(effect.tool == tool for effect in world.evidence().ledger)


@pytest.mark.parametrize(
    ("kind", "nth"),
    [
        ("connected", 1),
        ("offered", 1),
        ("accepted", 1),
        ("asked", 1),
        ("answered", 1),
        ("asked", 2),
        ("answered", 2),
        ("asked", 3),
        ("answered", 3),
        ("replied", 1),
        ("receipted", 1),
    ],
)
async def test_a_message_is_answered_once_whenever_the_daemon_is_killed(
    world: MakeWorld, kind: MomentKind, nth: int
) -> None:
    async with world() as here:
        here.platform.post("ann", "m1 tools=look steps=2")
        assert await here.live(Aim(kind=kind, nth=nth)) == KILLED
        assert await settle(here) == ["done m1 m1.0.0=ok m1.1.0=ok"]


async def test_a_killed_once_tool_is_told_as_unknown_and_never_run_again(world: MakeWorld) -> None:
    async with world() as here:
        here.trap("pay.after")
        here.platform.post("ann", "m1 tools=pay steps=1")
        await here.begin()
        assert await here.ended() == KILLED
        assert await settle(here) == ["done m1 m1.0.0=unknown"]
        assert runs(here, "pay") == 1


async def test_a_once_tool_killed_before_its_effect_is_unknown_too_because_nobody_can_tell(world: MakeWorld) -> None:
    async with world() as here:
        here.trap("pay.before")
        here.platform.post("ann", "m1 tools=pay steps=1")
        await here.begin()
        assert await here.ended() == KILLED
        assert await settle(here) == ["done m1 m1.0.0=unknown"]
        assert runs(here, "pay") == 0


async def test_a_killed_pure_tool_is_run_again(world: MakeWorld) -> None:
    async with world() as here:
        here.trap("look.after")
        here.platform.post("ann", "m1 tools=look steps=1")
        await here.begin()
        assert await here.ended() == KILLED
        assert await settle(here) == ["done m1 m1.0.0=ok"]
        assert runs(here, "look") == 2


async def test_a_killed_keyed_tool_is_run_again_with_the_same_key(world: MakeWorld) -> None:
    async with world() as here:
        here.trap("post.after")
        here.platform.post("ann", "m1 tools=post steps=1")
        await here.begin()
        assert await here.ended() == KILLED
        assert await settle(here) == ["done m1 m1.0.0=ok"]
        first, second = here.evidence().ledger
        assert first.key == second.key
        assert first.pid != second.pid


@pytest.mark.parametrize("trap", ["put.before", "put.after"])
async def test_a_killed_reconcile_tool_is_checked_against_the_world(world: MakeWorld, trap: str) -> None:
    async with world() as here:
        here.trap(trap)
        here.platform.post("ann", "m1 tools=put steps=1")
        await here.begin()
        assert await here.ended() == KILLED
        assert await settle(here) == ["done m1 m1.0.0=ok"]
        assert runs(here, "put") == 1


async def test_a_recorded_result_is_not_run_for_again(world: MakeWorld) -> None:
    async with world() as here:
        here.platform.post("ann", "m1 tools=pay,look,post,put steps=1 all")
        assert await here.live(Aim(kind="asked", nth=2)) == KILLED, "it asks again once the results are recorded"
        assert await settle(here) == ["done m1 m1.0.0=ok m1.0.1=ok m1.0.2=ok m1.0.3=ok"]
        assert [runs(here, tool) for tool in ("pay", "look", "post", "put")] == [1, 1, 1, 1]
        assert [entry.step for entry in here.model.log] == [0, 1, 1]


async def test_a_message_offered_again_after_a_crash_is_the_same_message(world: MakeWorld) -> None:
    async with world(habits=Habits(offers_again=1.0)) as here:
        for number in range(1, 6):
            here.platform.post("ann", f"m{number}")
        assert await here.live(Aim(kind="accepted", nth=4)) == KILLED
        assert len(await settle(here)) == 5
        offers = [entry.key for entry in here.platform.log if entry.kind == "offered"]
        assert len(offers) > len(set(offers)) + 1


async def test_a_message_that_kills_the_daemon_is_set_aside_its_sender_told_and_others_served(world: MakeWorld) -> None:
    async with world() as here:
        here.platform.post("mallory", "m1")
        for _ in range(3):
            assert await here.live(Aim(kind="asked", subject="m1")) == KILLED
        here.platform.post("ann", "m2 tools=pay steps=1")
        here.platform.post("mallory", "m3")
        told = await settle(here)
        assert "set this message aside" in next(words for words in told if "done" not in words)
        assert {words for words in told if "done" in words} == {"done m2 m2.0.0=ok", "done m3"}
        assert [entry.name for entry in here.model.log].count("m1") == 3


async def test_who_is_served_beside_a_message_that_kills_the_daemon_is_not_set_aside_with_it(world: MakeWorld) -> None:
    async with world(pauses=(0.0, 0.05)) as here:
        for number in range(2, 6):
            here.platform.post(f"peer{number}", f"m{number} tools=look steps=2")
        here.platform.post("mallory", "m1")
        for _ in range(3):
            assert await here.live(Aim(kind="asked", subject="m1")) == KILLED
        told = await settle(here)
        assert sum("set this message aside" in words for words in told) == 1


async def test_a_platform_that_hangs_up_is_connected_to_again(world: MakeWorld) -> None:
    async with world() as here:
        await here.begin()
        assert await here.moments.until(lambda: here.moments.seen["connected"] == 1, seconds=10)
        here.platform.hang_up()
        here.platform.post("ann", "m1")
        assert await settle(here) == ["done m1"]


async def test_messages_whose_platform_hangs_up_before_it_hears_of_them_are_answered(world: MakeWorld) -> None:
    async with world() as here:
        for number in range(1, 8):
            here.platform.post(f"peer{number}", f"m{number}")
        await here.begin()
        assert await here.moments.until(lambda: here.moments.seen["offered"] == 7, seconds=10)
        here.platform.hang_up()
        assert await here.moments.until(lambda: here.moments.seen["connected"] == 2, seconds=10)
        assert len(await settle(here)) == 7


async def test_a_daemon_started_by_hand_is_the_same_daemon(world: MakeWorld, start: Start) -> None:
    async with world(by=cold) as here:
        here.trap("pay.after")
        here.platform.post("ann", "m1 tools=look,pay steps=2")
        await here.begin()
        assert await here.ended() == KILLED
        here.start = start
        assert await settle(here) == ["done m1 m1.0.0=ok m1.1.0=unknown"]


async def test_sigterm_lets_the_turn_in_hand_finish_and_ends_with_0(world: MakeWorld) -> None:
    async with world(pauses=(0.1, 0.1)) as here:
        here.platform.post("ann", "m1 tools=look steps=3")
        await here.begin()
        assert await here.moments.until(lambda: here.moments.seen["asked"] == 2, seconds=10)
        assert await here.end(signal.SIGTERM) == 0
        assert [entry.step for entry in here.model.log] == [0, 1, 2, 3]
        assert await settle(here) == ["done m1 m1.0.0=ok m1.1.0=ok m1.2.0=ok"]


async def test_a_second_sigterm_hurries_and_loses_nothing(world: MakeWorld) -> None:
    async with world(pauses=(0.4, 0.4)) as here:
        here.platform.post("ann", "m1 tools=pay steps=3")
        daemon = await here.begin()
        assert await here.moments.until(lambda: here.moments.seen["asked"] == 2, seconds=10)
        daemon.signal(signal.SIGTERM)
        await asyncio.sleep(0.05)  # two signals at once would be one
        assert await here.end(signal.SIGTERM) == 0
        assert "Traceback" not in here.log.read_text()
        assert await settle(here) == ["done m1 m1.0.0=ok m1.1.0=ok m1.2.0=ok"]
