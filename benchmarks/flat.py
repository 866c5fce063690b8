"""Whether a turn costs the same however much there is: stored messages, skills, agents, jobs, and history in the session.

The first four stand beside an empty daemon in the same run; history beside the bare SDK that sends the same messages.
"""

import asyncio
from contextlib import AsyncExitStack
from statistics import median

from benchmarks.bare_sdk import CREATE, STREAM, Body, Conversation, open_clients
from benchmarks.daemon import People, collecting, daemon, messages_api, prepare
from benchmarks.rows import Bar, Row, Scale
from benchmarks.stored import conversations, history
from benchmarks.turns import OURS, Ask, captured, talk

SESSIONS = 64
EMPTY = "an empty daemon"
FLAT = Bar(ratio=0.8)  #: the rest is the noise of a shared machine
BESIDE_SDK = Bar(ratio=0.5)


def run(scale: Scale) -> list[Row]:
    """Measure what should not matter, then what matters to everybody alike."""
    with messages_api() as url:
        rows = asyncio.run(_elsewhere(scale, url))
        body = asyncio.run(captured(scale.folder / "captured-flat"))
        for messages in (20, 100, 400) if not scale.quick else (20,):
            rows += asyncio.run(_history(scale, url, body, messages))
    return rows


async def _elsewhere(scale: Scale, url: str) -> list[Row]:
    full, half = scale.of(100, 10), scale.of(50, 5)
    stored, sessions = scale.of(5_000, 100), scale.of(SESSIONS, 4)
    daemons: dict[str, People] = {}
    rates: dict[str, list[float]] = {}
    async with AsyncExitStack() as stack:
        for name, skills, agents, jobs, messages in (
            (EMPTY, 0, 0, 0, 0),
            (f"{stored} stored messages", 0, 0, 0, stored),
            (f"{full} skills", full, 0, 0, 0),
            (f"{half} agents", 0, half, 0, 0),
            (f"{full} jobs", 0, 0, full, 0),
        ):
            root = prepare(scale.folder / f"flat-{len(daemons)}", url, skills=skills, agents=agents, jobs=jobs)
            conversations(root, [f"other-{n}" for n in range(messages // 10)], 10)
            daemons[name], rates[name] = People(), []
            await stack.enter_async_context(daemon(root, daemons[name]))
        for n in range(scale.of(8, 1) + 1):
            for name, people in daemons.items():
                askers = [_asker(people, f"p{n}-{person}") for person in range(sessions)]
                rate = await _round(askers, scale.of(10, 1), ours=True)
                rates[name] += [rate] if n else []  # the first warms up
    return [
        Row(
            bench="flat",
            case=name,
            what=f"turns, {sessions} sessions",
            figure=median(rates[name]),
            unit="/s",
            beside=EMPTY,
            other=median(rates[EMPTY]),
            bar=FLAT,
        )
        for name in daemons
        if name != EMPTY
    ]


async def _history(scale: Scale, url: str, body: Body, messages: int) -> list[Row]:
    rounds, sessions = scale.of(5, 1), scale.of(SESSIONS, 4)
    root = prepare(scale.folder / f"history-{messages}", url)
    conversations(root, [_person(n, person) for n in range(rounds + 1) for person in range(sessions)], messages)
    said = [message.wire() for message in history(messages)]
    rates: dict[str, list[float]] = {OURS: [], STREAM: [], CREATE: []}
    people = People()
    async with daemon(root, people), open_clients(url) as clients:

        def bare(way: str) -> Ask:
            conversation = Conversation(body, said)
            return lambda text: conversation.ask(clients, way, text)

        for n in range(rounds + 1):
            askers = {
                OURS: [_asker(people, _person(n, person)) for person in range(sessions)],
                STREAM: [bare(STREAM) for _ in range(sessions)],
                CREATE: [bare(CREATE) for _ in range(sessions)],
            }
            for name, each in askers.items():
                await talk(each, 1)  # a session is read from disk once, and then in memory as the SDK's messages are
                rate = await _round(each, scale.of(4, 1), ours=name == OURS)
                rates[name] += [rate] if n else []  # the first warms up
    fastest = max((STREAM, CREATE), key=lambda way: median(rates[way]))
    return [
        Row(
            bench="flat",
            case=f"{messages} messages in the session",
            what=f"turns, {sessions} sessions",
            figure=median(rates[OURS]),
            unit="/s",
            beside=f"bare {fastest}",
            other=median(rates[fastest]),
            bar=BESIDE_SDK,
        )
    ]


async def _round(askers: list[Ask], turns: int, *, ours: bool) -> float:
    with collecting(ours=ours):
        return (await talk(askers, turns)).rate


def _asker(people: People, person: str) -> Ask:
    return lambda text: people.ask(person, text)


def _person(n: int, person: int) -> str:
    return f"round-{n}-{person}"
