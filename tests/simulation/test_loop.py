"""The simulated loop: time only passes when nothing else can happen, and a crash runs nobody's last words."""

import asyncio
from random import Random

import pytest

from tests.simulation.loop import Crash, SimLoop, Stuck


def test_an_hour_passes_at_once() -> None:
    loop = SimLoop(Random(1), now=0.0)
    loop.run_until_complete(asyncio.sleep(3600.0))
    assert loop.time() == pytest.approx(3600.0)
    loop.bury()


def test_the_order_is_random_and_the_same_for_the_same_seed() -> None:
    def order(seed: int) -> list[int]:
        async def note(n: int) -> None:
            noted.append(n)

        async def everyone() -> None:
            await asyncio.gather(*(note(n) for n in range(10)))

        noted: list[int] = []
        loop = SimLoop(Random(seed), now=0.0)
        loop.run_until_complete(everyone())
        loop.bury()
        return noted

    assert order(1) == order(1) != order(2)


def test_a_deadlock_is_an_error() -> None:
    loop = SimLoop(Random(1), now=0.0)
    with pytest.raises(Stuck, match="nobody is due"):
        loop.run_until_complete(asyncio.Event().wait())
    loop.close()


def test_a_livelock_is_an_error() -> None:
    async def spin() -> None:
        while True:  # noqa: ASYNC110  (that is the livelock)
            await asyncio.sleep(0)

    loop = SimLoop(Random(1), now=0.0, budget=1000)
    with pytest.raises(Stuck, match="not enough"):
        loop.run_until_complete(spin())
    loop.bury()


def test_a_crash_lets_nobody_clean_up() -> None:
    cleaned: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(10.0)
        finally:
            cleaned.append("cleaned")

    loop = SimLoop(Random(1), now=0.0, crash_after=2)
    task = loop.create_task(work())
    with pytest.raises(Crash):
        loop.run_until_complete(task)
    assert not cleaned
    loop.bury()


def test_work_for_a_thread_is_done_at_once() -> None:
    loop = SimLoop(Random(1), now=0.0)
    assert loop.run_until_complete(asyncio.to_thread(sum, (1, 2))) == 3
    loop.bury()
