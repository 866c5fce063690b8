"""Durable publish to handler to ack, fsync on, through the real store and the real bus.

An event counts when its inbox row is committed as done: accepted in one commit, rung on the bus, seen by a subscriber,
acknowledged in another commit. A publisher goes on as soon as its event is accepted, as a channel does; beside it
stand the same events as files, the same rows written by the barest loop that shares commits, and the disk alone.

A bus of files dispatches one event after the other, however many publish (`LOOP`): that is the design which is
measured against. Its file is there after a power cut only if the folder is fsynced too (`KEPT`), as ours is. The same files written by a thread for each publisher (`THREADS`) are the most that this disk gives.
`UNITS` are the statements of the same accepts and acks by themselves: no writer can be faster than they are.
"""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, process_time

from benchmarks import bare_files, bare_rows, bare_units
from benchmarks.daemon import collecting
from benchmarks.machine import fsync_seconds
from benchmarks.rows import Bar, Row, Scale
from picklebot.clock import SystemClock
from picklebot.core.bus import EventBus
from picklebot.core.events import InboundEvent
from picklebot.core.source import Source
from picklebot.store.base import Arrival
from picklebot.store.database import DaemonDatabase, open_database
from picklebot.store.inbox import SqliteInbox
from picklebot.store.units import OneOfMany
from picklebot.workers.agent import DOORBELLS

CONTENT = "x" * 200
ACK = """UPDATE inbox SET state = 'done' WHERE state = 'open'
    AND (channel, key) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))"""
ACK_ONE = "UPDATE inbox SET state = 'done' WHERE state = 'open' AND channel = ? AND key = ?"
LIMIT = 1 << 20  #: of open messages in a session: the bar here is the disk, not the queue
BESIDE_FILES = {1: Bar(ratio=0.9), 256: Bar(ratio=10)}
BESIDE_BARE = {256: Bar(ratio=0.6)}
KEPT = "a file per event, folder fsynced"
THREADS, LOOP, BARE = "a file per event, threads", "a file per event, one loop", "bare loop, same rows"
UNITS = "our statements alone"
OURS = "picklebot"
_numbers = count()


@dataclass(frozen=True, slots=True)
class Figures:
    """Events a second, seconds of the processor for one, and the seconds from publish to ack of each."""

    rate: float
    cpu: float
    latencies: list[float]


def run(scale: Scale) -> list[Row]:
    """Measure at each number of publishers, the systems in turn so that noise hits all alike."""
    rows = [_disk(scale)]
    for publishers in (1, 16, 64, 256) if not scale.quick else (1, 16):
        total = scale.of({1: 3_000, 16: 16_000, 64: 24_000, 256: 32_000}[publishers], max(publishers, 64))
        rows += _rows(publishers, _measure(scale, publishers, total))
    return rows


def _disk(scale: Scale) -> Row:
    taken = fsync_seconds(scale.folder, scale.of(3_000, 50))
    return Row(bench="bus", case="disk", what="append 512 B + fsync", figure=len(taken) / sum(taken), unit="/s")


def _measure(scale: Scale, publishers: int, total: int) -> dict[str, list[Figures]]:
    fewer = min(total, 4_000)
    systems: dict[str, Callable[[Path], Figures]] = {
        OURS: lambda folder: _timed(lambda: asyncio.run(publish(folder / "bus.db", publishers, total))),
        BARE: lambda folder: _timed(lambda: asyncio.run(bare_rows.publish(folder / "bare.db", publishers, total))),
        THREADS: lambda folder: _timed(lambda: bare_files.publish(folder / "files", publishers, fewer)),
    }
    if publishers == 1:
        systems[KEPT] = lambda folder: _timed(lambda: bare_files.publish(folder / "files", 1, fewer, folders=True))
    if publishers > 1:
        systems[UNITS] = lambda folder: _timed(lambda: bare_units.publish(folder / "units.db", publishers, total))
        # A loop writes one file after the other, however many publish
        systems[LOOP] = lambda folder: _timed(lambda: bare_files.publish(folder / "files", 1, fewer))
    measured: dict[str, list[Figures]] = {name: [] for name in systems}
    for n in range(scale.of(5, 1)):
        for number, (name, system) in enumerate(systems.items()):
            folder = scale.folder / f"bus-{publishers}-{n}-{number}"
            folder.mkdir()
            with collecting(ours=name == OURS):
                measured[name].append(system(folder))
    return measured


def _rows(publishers: int, measured: dict[str, list[Figures]]) -> list[Row]:
    rate = {name: median(figures.rate for figures in runs) for name, runs in measured.items()}
    case = f"{publishers} publishers" if publishers > 1 else "1 publisher"
    bars = {LOOP: BESIDE_FILES, THREADS: BESIDE_FILES, KEPT: BESIDE_FILES, BARE: BESIDE_BARE, UNITS: {}}
    return [
        *(
            Row(
                bench="bus",
                case=case,
                what="publish, handler, ack",
                figure=rate[OURS],
                unit="/s",
                beside=name,
                other=rate[name],
                bar=bars[name].get(publishers),
            )
            for name in (THREADS, KEPT, LOOP, BARE, UNITS)
            if name in rate
        ),
        *(_latency(case, percent, measured) for percent in (50, 99)),
        _processor(case, measured),
    ]


def _latency(case: str, percent: int, measured: dict[str, list[Figures]]) -> Row:
    ours, theirs = (
        median(quantiles(run.latencies, n=100)[percent - 1] for run in measured[name]) * 1000
        for name in (OURS, THREADS)
    )
    return Row(bench="bus", case=case, what=f"latency p{percent}", figure=ours, unit="ms", beside=THREADS, other=theirs)


def _processor(case: str, measured: dict[str, list[Figures]]) -> Row:
    ours, bare = (median(figures.cpu for figures in measured[name]) * 1e6 for name in (OURS, BARE))
    return Row(bench="bus", case=case, what="CPU an event", figure=ours, unit="us", beside=BARE, other=bare)


def _timed(system: Callable[[], tuple[float, list[float]]]) -> Figures:
    busy = process_time()
    rate, latencies = system()
    return Figures(rate, (process_time() - busy) / len(latencies), latencies)


async def publish(path: Path, publishers: int, total: int) -> tuple[float, list[float]]:
    """Publish `total` events; return once the last is acknowledged."""
    bus = EventBus()
    async with open_database(path, stays=True) as database:
        handler = _Handler(bus, database)
        handling = asyncio.create_task(handler.run(), name="handler")
        each = total // publishers
        began = perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(publishers):
                group.create_task(_publisher(database, bus, handler.sent, number, each))
        handler.close()
        await handling
        took = perf_counter() - began
    _check(path, each * publishers)
    return each * publishers / took, handler.latencies


async def _publisher(database: DaemonDatabase, bus: EventBus, sent: dict[str, float], number: int, events: int) -> None:
    inbox, clock = SqliteInbox(database), SystemClock()
    source = Source("bench", (str(number),))
    for _ in range(events):
        key = f"k{next(_numbers)}"
        sent[key] = perf_counter()
        arrival = Arrival(source=source, content=CONTENT, key=key, agent_id="echo", at=clock.now())
        acceptance = await inbox.accept(arrival, limit=LIMIT)
        await bus.publish(acceptance.event)


class _Handler:
    """Subscribed as the agent worker is. Each ack is a unit of its own and none is waited for, so they share commits."""

    def __init__(self, bus: EventBus, database: DaemonDatabase) -> None:
        self.sent: dict[str, float] = {}
        self.latencies: list[float] = []
        self._doorbell = bus.subscribe(InboundEvent, maxsize=DOORBELLS)
        self._database = database
        self._acks: set[asyncio.Future[None]] = set()

    def close(self) -> None:
        self._doorbell.close()

    async def run(self) -> None:
        async for event in self._doorbell:
            ack = self._database.submit(OneOfMany((event.source.channel, event.key), _acknowledge))
            ack.add_done_callback(partial(self._acknowledged, event.key))
            self._acks.add(ack)
        if self._acks:
            await asyncio.wait(self._acks)

    def _acknowledged(self, key: str, ack: "asyncio.Future[None]") -> None:
        self._acks.discard(ack)
        ack.result()
        self.latencies.append(perf_counter() - self.sent.pop(key))


def _acknowledge(connection: sqlite3.Connection, names: Sequence[tuple[str, str]]) -> list[None]:
    if len(names) == 1:
        connection.execute(ACK_ONE, names[0])
    else:
        connection.execute(ACK, (json.dumps(names),))
    return [None] * len(names)


def _check(path: Path, expected: int) -> None:
    connection = sqlite3.connect(path)
    try:
        done = connection.execute("SELECT count(*) FROM inbox WHERE state = 'done'").fetchone()[0]
    finally:
        connection.close()
    if done != expected:
        raise AssertionError(f"{done} of {expected} events are acknowledged")
