"""Cuts the power of a day at any moment, and judges what each cut leaves.

Promises that a failure names the seed, the moment and the image's own seed, so that it can be had again. Knows no
worker.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from picklebot.store.base import Turns
from picklebot.store.database import Database
from tests.power import judge
from tests.power.disk import Disk, Image, Op
from tests.power.judge import Fact
from tests.power.vfs import fresh, opened
from tests.power.workload import NOW, live


@dataclass(slots=True)
class Tally:
    """What became of a number of images: how many, and what was wrong with which."""

    images: int = 0
    lost: list[str] = field(default_factory=list[str])
    broken: list[str] = field(default_factory=list[str])

    @property
    def failed(self) -> list[str]:
        """Everything that was wrong."""
        return self.lost + self.broken


@dataclass(frozen=True, slots=True)
class Day:
    """What happened to the disk and what was promised of it, in order."""

    seed: int
    log: list[Op | Fact]


def record(seed: int, *, synchronous: str | None = None, turns: Callable[[Database], Turns] | None = None) -> Day:
    """Live the day of `seed`. `synchronous` and `turns` are there to plant bugs."""
    log: list[Op | Fact] = []
    disk = Disk(fresh(), record=log.append)
    with opened(disk, synchronous=synchronous) as connection:
        asyncio.run(live(connection, Random(seed), log.append, turns))
        end = len(log)  # closing is tidy, and a power cut is not
    return Day(seed, log[:end])


def cut(day: Day, images: int) -> Tally:
    """Cut the power at `images` moments of the day."""
    tally = Tally()
    rng = Random(day.seed)
    moments = sorted(rng.choices(range(len(day.log)), k=images), reverse=True)
    disk = Disk(fresh())
    promised: set[Fact] = set()
    for at, entry in enumerate(day.log):
        if isinstance(entry, Op):
            disk.apply(entry)
        else:
            promised.add(entry)
        while moments and moments[-1] == at:
            moments.pop()
            number = rng.getrandbits(32)
            _judge(disk.image(Random(number)), promised, f"seed {day.seed}, moment {at}, image {number}", tally)
    return tally


def _judge(image: Image, promised: set[Fact], where: str, tally: Tally) -> None:
    tally.images += 1
    try:
        with opened(Disk(image)) as connection:
            if lost := promised - judge.facts(connection):
                tally.lost.append(
                    f"{where}: {len(lost)} of {len(promised)} facts are lost, such as {min(lost, key=repr)}"
                )
            broken = [*judge.complaints(connection), *judge.goes_on(connection, NOW)]
    except (sqlite3.Error, ValueError) as exc:  # ValueError: a damaged row may not even be JSON
        broken = [repr(exc)]
    tally.broken += [f"{where}: {words}" for words in broken]
