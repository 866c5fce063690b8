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
    await slots.take()
    waiters = [asyncio.create_task(_hold(slots)) for _ in range(3)]
    await asyncio.sleep(0)
    waiters[0].cancel()
    slots.give()  # before the one that is cancelled has run again
    ends = await asyncio.wait_for(asyncio.gather(*waiters, return_exceptions=True), 5)
    assert [type(end) for end in ends] == [asyncio.CancelledError, type(None), type(None)]
    await asyncio.wait_for(_hold(slots), 5)


async def test_a_slot_given_in_the_moment_of_cancellation_goes_to_the_next() -> None:
    slots = Slots(1)
    await slots.take()
    first, second = (asyncio.create_task(_hold(slots)) for _ in range(2))
    await asyncio.sleep(0)
    slots.give()  # gives the slot to `first`, which is cancelled before it runs again
    first.cancel()
    await asyncio.wait_for(second, 5)
    assert first.cancelled()


async def test_slots_can_grow_and_shrink_while_they_are_taken() -> None:
    slots = Slots(1)
    await slots.take()
    waiting = asyncio.create_task(_hold(slots))
    await asyncio.sleep(0)
    slots.resize(2)
    await asyncio.wait_for(waiting, 5)
    slots.resize(1)
    late = asyncio.create_task(_hold(slots))
    await asyncio.sleep(0.01)
    assert not late.done()
    slots.give()
    await asyncio.wait_for(late, 5)


async def test_a_turn_that_is_away_lets_others_have_its_slots_and_comes_back_before_those_who_have_not_begun() -> None:
    gate, seen, answered = TurnGate(ceiling=1), list[str](), asyncio.Event()

    async def caller() -> None:
        async with gate.admit("a", "s1", max_concurrency=1):
            async with gate.away("s1"):
                await answered.wait()
            seen.append("caller")

    async def other(name: str) -> None:
        async with gate.admit("a", name, max_concurrency=1):
            answered.set()
            await asyncio.sleep(0.01)
            seen.append(name)

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        for turn in (caller(), other("s2"), other("s3")):
            group.create_task(turn)
    assert seen == ["s2", "caller", "s3"]


async def test_a_turn_comes_back_when_the_last_of_its_calls_has_its_answer() -> None:
    gate, first, second = TurnGate(ceiling=1), asyncio.Event(), asyncio.Event()

    async def call(answered: asyncio.Event) -> None:
        async with gate.away("s1"):
            await answered.wait()

    async with asyncio.timeout(5), gate.admit("a", "s1", max_concurrency=1):
        calls = [asyncio.create_task(call(event)) for event in (first, second)]
        await asyncio.sleep(0)
        first.set()
        await calls[0]
        await asyncio.wait_for(_enter(gate, "s2"), 5)  # the slot is still free
        second.set()
        await calls[1]
        late = asyncio.create_task(_enter(gate, "s3"))
        await asyncio.sleep(0.01)
        assert not late.done()
    await asyncio.wait_for(late, 5)


async def test_a_turn_that_is_cancelled_while_it_is_away_leaves_every_slot_free() -> None:
    gate = TurnGate(ceiling=1)

    async def caller() -> None:
        async with gate.admit("a", "s1", max_concurrency=1), gate.away("s1"):
            await asyncio.Event().wait()

    waiting = asyncio.create_task(caller())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    await asyncio.wait_for(_enter(gate, "s2"), 5)
    await asyncio.wait_for(_enter(gate, "s1"), 5)


async def _enter(gate: TurnGate, session: str, agent: str = "a") -> None:
    async with gate.admit(agent, session, max_concurrency=5):
        pass


async def _hold(slots: Slots) -> None:
    await slots.take()
    await asyncio.sleep(0)
    slots.give()


async def test_there_is_room_for_as_many_as_would_be_let_in_at_once() -> None:
    gate = TurnGate(ceiling=3)
    assert gate.room("a", max_concurrency=2) == 2
    async with gate.admit("a", "s1", max_concurrency=2):
        assert gate.room("a", max_concurrency=2) == 1
        assert gate.room("a", max_concurrency=9) == 2  # the daemon's ceiling
        async with gate.admit("a", "s2", max_concurrency=2):
            waiting = asyncio.create_task(_enter(gate, "s3"))
            await asyncio.sleep(0)
            assert gate.room("a", max_concurrency=2) == 0
            assert gate.room("b", max_concurrency=2) == 1
        await waiting
    assert gate.room("a", max_concurrency=2) == 2
