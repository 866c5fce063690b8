"""Turns a second and time per turn, through the whole daemon, everything durable, beside the bare SDK.

The model is an instant Messages API in another process. Each session says something, waits for the reply, and goes on;
the bare SDK holds the same conversations. Rounds alternate, so that noise hits all alike; figures are medians.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, process_time
from typing import TypeAlias

from benchmarks.bare_http import requests_per_second
from benchmarks.bare_sdk import CREATE, DOCUMENTED, STREAM, WAYS, Body, Conversation, open_clients
from benchmarks.daemon import People, collecting, daemon, messages_api, prepare
from benchmarks.rows import Bar, Row, Scale
from picklebot.testing.messages_api import MessagesApi

SESSIONS = (1, 16, 64, 256)
PATIENCE = 120.0  #: seconds for one round
OURS = "picklebot"
_rounds = count()

Ask: TypeAlias = Callable[[str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Round:
    """Turns a second, seconds of this process's processor for one, and seconds from question to answer of each."""

    rate: float
    cpu: float
    seconds: list[float]


def run(scale: Scale) -> list[Row]:
    """Measure at each number of sessions."""
    body = asyncio.run(captured(scale.folder / "captured"))
    with messages_api() as url:
        server = asyncio.run(requests_per_second(url, body, at_once=64, total=scale.of(6_000, 64)))
        rows = [Row(bench="turns", case="64 at once", what="the server itself, raw sockets", figure=server, unit="/s")]
        for sessions in SESSIONS if not scale.quick else (4,):
            turns = scale.of({1: 20, 16: 16, 64: 8, 256: 4}.get(sessions, 8), 2)
            rounds = scale.of(15 if sessions == 1 else 5, 1)
            root = prepare(scale.folder / f"turns-{sessions}", url)
            rows += _rows(sessions, asyncio.run(compare(root, url, body, (sessions, turns, rounds))))
    return rows


def _rows(sessions: int, measured: dict[str, list[Round]]) -> list[Row]:
    rate = {name: median(each.rate for each in rounds) for name, rounds in measured.items()}
    p50 = {name: median(median(each.seconds) for each in rounds) * 1000 for name, rounds in measured.items()}
    p99 = {name: median(_p99(each.seconds) for each in rounds) * 1000 for name, rounds in measured.items()}
    cpu = {name: median(each.cpu for each in rounds) * 1000 for name, rounds in measured.items()}
    fastest = max((STREAM, CREATE), key=lambda way: rate[way])
    quickest = min((STREAM, CREATE), key=lambda way: p50[way])
    case = f"{sessions} sessions" if sessions > 1 else "1 session"
    bars: dict[str, Bar] = {}
    if sessions == 64:
        bars = {
            DOCUMENTED: Bar(ratio=1),
            fastest: Bar(ratio=0.5),
        }  # as the client comes, and half of the best it can do
    rows = [
        Row(
            bench="turns",
            case=case,
            what="turns",
            figure=rate[OURS],
            unit="/s",
            beside=f"bare {way}",
            other=rate[way],
            bar=bars.get(way),
        )
        for way in (DOCUMENTED, STREAM, CREATE)
    ]
    within = Bar(within=5) if sessions == 1 else None
    rows += [
        Row(
            bench="turns",
            case=case,
            what=what,
            figure=figures[OURS],
            unit="ms",
            beside=f"bare {quickest}",
            other=figures[quickest],
            bar=bar,
        )
        for what, figures, bar in (("turn p50", p50, within), ("turn p99", p99, None), ("CPU a turn", cpu, None))
    ]
    return rows


async def captured(root: Path) -> Body:
    """Return the request that the daemon makes of a first message, for the bare SDK to make too."""
    async with MessagesApi(default="hello") as api:
        people = People()
        async with daemon(prepare(root, api.url), people):
            await people.ask("first", "hello")
        return api.requests[-1].body


async def compare(root: Path, url: str, body: Body, size: tuple[int, int, int]) -> dict[str, list[Round]]:
    """Let `sessions` talk `turns` times each, in `rounds` alternating rounds of every system."""
    sessions, turns, rounds = size
    measured: dict[str, list[Round]] = {OURS: [], **{way: [] for way in WAYS}}
    people = People()
    async with daemon(root, people), open_clients(url) as clients:

        def asker(system: str, person: str) -> Ask:
            if system == OURS:
                return lambda text: people.ask(person, text)
            conversation = Conversation(body)
            return lambda text: conversation.ask(clients, system, text)

        for n in range(rounds + 1):
            for system, figures in measured.items():
                number = next(_rounds)
                askers = [asker(system, f"p{number}-{person}") for person in range(sessions)]
                each = turns if n else max(turns // 4, 1)  # the first round warms up: imports, connections, caches
                with collecting(ours=system == OURS):
                    one = await talk(askers, each)
                if n:
                    figures.append(one)
    return measured


async def talk(askers: list[Ask], turns: int) -> Round:
    """Let every one ask `turns` times, one after the other."""
    seconds: list[float] = []

    async def converse(ask: Ask) -> None:
        for n in range(turns):
            began = perf_counter()
            reply = await ask(f"message {n}")
            seconds.append(perf_counter() - began)
            if reply != f"echo: message {n}":
                raise AssertionError(f"the reply to message {n} is {reply!r}")

    began, busy = perf_counter(), process_time()
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        for ask in askers:
            group.create_task(converse(ask))
    took, busy = perf_counter() - began, process_time() - busy
    return Round(len(seconds) / took, busy / len(seconds), seconds)


def _p99(seconds: list[float]) -> float:
    return quantiles(seconds, n=100)[98] if len(seconds) > 1 else seconds[0]
