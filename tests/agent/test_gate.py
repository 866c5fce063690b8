"""Admission: order first, then slots."""

import asyncio

from picklebot.agent.gate import Slots, TurnGate


async def test_one_session_takes_one_turn_at_a_time_in_order() -> None:
    gate, seen = TurnGate(ceiling=9), list[str]()

    async def turn(name: str) -> None:
        async with gate.admit("a", "s", max_concurrency=9):
            seen.append(f"{name} in")
            await asyncio.sleep(0)
            seen.append(f"{name} out")

    await asyncio.gather(turn("1"), turn("2"), turn("3"))
    assert seen == ["1 in", "1 out", "2 in", "2 out", "3 in", "3 out"]


async def test_a_session_that_waits_for_itself_holds_no_slot() -> None:
    gate = TurnGate(ceiling=9)
    async with gate.admit("a", "s1", max_concurrency=2):
        waiting = asyncio.create_task(_enter(gate, "s1"))
        await asyncio.sleep(0)
        async with asyncio.timeout(5), gate.admit("a", "s2", max_concurrency=2):
            pass
    await waiting


async def test_the_daemon_has_a_ceiling_over_all_agents() -> None:
    gate = TurnGate(ceiling=1)
    async with gate.admit("a", "s1", max_concurrency=5):
        waiting = asyncio.create_task(_enter(gate, "s2", agent="b"))
        await asyncio.sleep(0.01)
        assert not waiting.done()
    await asyncio.wait_for(waiting, 5)


async def test_a_cancelled_waiter_leaves_no_hole() -> None:
    slots = Slots(1)
    async with slots:
        waiters = [asyncio.create_task(_hold(slots)) for _ in range(3)]
        await asyncio.sleep(0)
        waiters[0].cancel()
    await asyncio.wait_for(asyncio.gather(*waiters, return_exceptions=True), 5)
    async with asyncio.timeout(5), slots:
        pass


async def test_a_slot_given_in_the_moment_of_cancellation_goes_to_the_next() -> None:
    slots = Slots(1)
    await slots.__aenter__()
    first, second = (asyncio.create_task(_hold(slots)) for _ in range(2))
    await asyncio.sleep(0)
    await slots.__aexit__()  # gives the slot to `first`, which is cancelled before it runs again
    first.cancel()
    await asyncio.wait_for(second, 5)
    assert first.cancelled()


async def test_slots_can_grow_and_shrink_while_they_are_taken() -> None:
    slots = Slots(1)
    async with slots:
        waiting = asyncio.create_task(_hold(slots))
        await asyncio.sleep(0)
        slots.resize(2)
        await asyncio.wait_for(waiting, 5)
        slots.resize(1)
        late = asyncio.create_task(_hold(slots))
        await asyncio.sleep(0.01)
        assert not late.done()
    await asyncio.wait_for(late, 5)


async def _enter(gate: TurnGate, session: str, agent: str = "a") -> None:
    async with gate.admit(agent, session, max_concurrency=5):
        pass


async def _hold(slots: Slots) -> None:
    async with slots:
        await asyncio.sleep(0)
