"""A story: some lives of the daemon with trouble, a last one without, and the judgement.

Promises that a seed tells the whole story, and that what is returned names everything that is wrong with its end.
"""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

from picklebot.workers.company import Queue
from tests.power.disk import Disk, Image
from tests.power.vfs import fresh, opened
from tests.simulation import judge
from tests.simulation.life import Fate, Life, Restless
from tests.simulation.loop import Stuck
from tests.simulation.outside import Outside, people
from tests.simulation.plants import NOTHING, Plants

MOST_CRASHES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What a seed told. `trace` differs if anything happened in another order."""

    seed: int
    problems: list[str]
    deaths: list[str]
    steps: int
    trace: int


def tell(seed: int, plants: Plants = NOTHING, queue: Queue = "followup") -> Story:
    """Tell the story of `seed`, in which messages that come while a turn runs are dealt with as `queue` says."""
    rng = Random(seed)
    outside = people(Random(rng.random()), queue)
    fates = [_fate(rng) for _ in range(rng.randint(0, MOST_CRASHES))]
    lives: list[Life] = []
    with _quiet_log():
        try:
            problems = list(_tell(rng, outside, fates, plants, lives))
            steps, trace = sum(life.loop.steps for life in lives), hash(tuple(life.loop.trace for life in lives))
        finally:
            for life in lives:
                life.bury()
    return Story(
        seed=seed,
        problems=[f"seed {seed}, {queue}: {words}" for words in problems],
        deaths=[f"{fate.death} after {fate.after}" for fate in fates],
        steps=steps,
        trace=trace,
    )


def _tell(rng: Random, outside: Outside, fates: list[Fate], plants: Plants, lives: list[Life]) -> Generator[str]:
    image: Image = fresh()
    now = 0.0
    for fate in [*fates, None]:
        outside.troubled = fate is not None
        life = Life(outside, image, Random(rng.random()), plants=plants, now=now)
        lives.append(life)
        try:
            image = life.run(fate)
        except (Restless, Stuck) as exc:
            yield f"{type(exc).__name__}: {exc}"
            return
        except ExceptionGroup as exc:
            yield f"the daemon went down: {exc!r}"
            return
        now = life.loop.time() + rng.uniform(0.0, 60.0)
    with opened(Disk(image)) as connection:
        yield from judge.complaints(connection, outside)


def _fate(rng: Random) -> Fate:
    match rng.choice(("stop", "kill", "kill at an effect", "power cut", "power cut")):
        case "stop":
            return Fate(death="stop", after=rng.randint(1, 60))
        case "kill":
            return Fate(death="kill", after=rng.randint(1, 500))
        case "kill at an effect":
            return Fate(death="kill at an effect", after=rng.randint(1, 3))
        case _:
            return Fate(death="power cut", after=rng.randint(1, 300))


@contextmanager
def _quiet_log() -> Generator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
