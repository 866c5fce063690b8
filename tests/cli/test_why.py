"""`picklebot why`, through the real program."""

import asyncio
import os
import re
from datetime import timedelta
from pathlib import Path

from picklebot.clock import SystemClock
from picklebot.core.events import DispatchEvent, DispatchResultEvent, OutboundEvent
from picklebot.core.source import Source
from picklebot.lock import Holder, hold
from picklebot.store.database import connect
from picklebot.store.events import append
from picklebot.store.sqlite import SqliteStore
from tests.cli.inside import command, document
from tests.cli.running import ANN, accept, begin, conversation, database, fill, lines, run

TIME = r"\d\d:\d\d:\d\d"
ID = "[0-9a-z]{24}"


async def why(workspace: Path, event_id: str) -> list[str]:
    done = await command(workspace, "why", event_id)
    assert done.returncode == 0, done.stderr
    return list(lines(done.stdout))


def find(told: list[str], pattern: str) -> str:
    found = [line for line in told if re.search(pattern, line)]
    assert len(found) == 1, f"{pattern!r} in {told}"
    return found[0]


async def test_a_whole_turn_is_told_in_order_from_its_message_to_its_receipt(workspace: Path) -> None:
    async def use(store: SqliteStore) -> str:
        turn = await conversation(store)
        [row] = await store.outbox.claim("telegram", SystemClock().now(), limit=1)
        await store.outbox.ack(row, receipt="tg-1", at=SystemClock().now())
        return turn.event.id

    event_id = await fill(workspace, use)
    told = lines((await asyncio.to_thread(run, workspace, "why", event_id)).stdout)
    expected = [
        rf'message {event_id}, .*: "what is here\?"  <- asked about',
        rf"├ accepted {TIME} from telegram:42:7, key 'k1'",
        rf"├ routed to echo in session {ID} \(its first message, the default agent\)",
        r"├ waited [\d.]+ s",
        rf"├ turn begun {TIME}",
        r"│ ├ step 1: claude-test, 105 tokens in, 10 out, \$0.2500, [\d.]+ s, tool_use",
        rf"│ │ └ glob\(pattern='\*'\), pure: done in [\d.]+ s, {TIME}: notes.md plan.md",
        r'│ └ step 2: claude-test, 105 tokens in, 10 out, \$0.2500, [\d.]+ s, end_turn: "Two files."',
        rf"├ turn done {TIME}, [\d.]+ s after it began, \$0.5000",
        rf'└ reply {ID}, .*: "Two files."',
        rf"  └ delivered {TIME} to telegram:42:7, 1 attempt, receipt 'tg-1'",
    ]
    assert len(told) == len(expected), told
    for line, pattern in zip(told, expected, strict=True):
        assert re.fullmatch(pattern, line), line


async def test_a_reply_is_explained_from_the_message_that_caused_it(workspace: Path) -> None:
    turn = await fill(workspace, conversation)
    listed = await document(workspace, "events", "list")
    reply_id = listed["events"][-1]["event"]["id"]
    chain = await document(workspace, "why", reply_id)
    root = chain["chain"]
    assert (chain["asked"], root["event"]["id"]) == (reply_id, turn.event.id)
    assert (root["turn"]["state"], root["turn"]["outcome"], root["turn"]["behind"]) == ("done", "done", None)
    assert [step["usage"]["output_tokens"] for step in root["turn"]["steps"]] == [10, 10]
    [effect] = root["effects"]
    assert (effect["event"]["id"], effect["delivery"]["state"]) == (reply_id, "pending")


async def test_silence_is_explained_by_what_is_before_it_and_by_the_slots(workspace: Path) -> None:
    async def use(store: SqliteStore) -> tuple[str, str, str]:
        first = await begin(store, "first", key="k1")
        await accept(store, "between", key="k2")
        last = await accept(store, "last", key="k3")
        other = await accept(store, "elsewhere", key="k4", source=Source("telegram", ("43", "7")))
        return first.event.id, last.event.id, other.event.id

    first, last, other = await fill(workspace, use)
    idle = await why(workspace, last)
    assert "nothing runs here" in find(idle, "not begun")
    state = database(workspace).parent
    with hold(state / "lock", state / "daemon.json", Holder(os.getpid(), "server", "noon")):
        waits = await why(workspace, last)
        assert f'waits behind {first} "first", which is being answered and 1 more' in find(waits, "not begun")
        assert find(waits, "turns in hand").endswith("1 of 4 slots of echo, 1 of 16 of the daemon")
        assert "nothing is before it" in find(await why(workspace, other), "not begun")
        assert find(await why(workspace, first), "now:").endswith("now: waits for the model's answer")


async def test_what_failed_was_parked_or_set_aside_says_why_and_when(workspace: Path) -> None:
    now = SystemClock().now()

    async def use(store: SqliteStore) -> tuple[str, str, str]:
        parked = await begin(store, "parked", key="k1")
        await store.inbox.defer(parked, until=now + timedelta(minutes=10), why="", notice=None)
        poison = await begin(store, "poison", key="k2", source=Source("telegram", ("43", "7")))
        notice = OutboundEvent(
            session_id=poison.event.session_id, source=ANN, to=ANN, cause_id=poison.event.id, content="sorry"
        )
        await store.inbox.bury(poison, error="it never ended", notice=notice)
        [row] = await store.outbox.claim("telegram", now, limit=1)
        await store.outbox.reschedule(row, not_before=now + timedelta(hours=1), error="no network")
        return parked.event.id, poison.event.id, notice.id

    parked, poison, notice = await fill(workspace, use)
    assert re.search(
        rf"parked until .*{TIME}, (9 min \d+|10 min 0) s from now", find(await why(workspace, parked), "parked until")
    )
    told = await why(workspace, poison)
    assert "set aside: it never ended; `picklebot events retry`" in find(told, "set aside")
    assert "1 attempt, next attempt" in find(told, "not delivered yet")
    assert find(told, "last error").endswith("no network")
    assert await why(workspace, notice) == [
        line.removesuffix("  <- asked about")
        if "message" in line
        else line + "  <- asked about"
        if notice in line
        else line
        for line in told
    ]


async def test_a_task_given_to_another_agent_hangs_below_the_message_that_asked_for_it(workspace: Path) -> None:
    turn = await fill(workspace, conversation)
    task = DispatchEvent(
        session_id="s2",
        source=Source("agent", ("echo",)),
        cause_id=turn.event.id,
        agent_id="cookie",
        content="bake",
        parent_session_id=turn.event.session_id,
        tool_call_id="c1",
    )
    result = DispatchResultEvent(session_id="s2", source=task.source, cause_id=task.id, content="baked")
    connection = connect(database(workspace))
    append(connection, task)
    append(connection, result)
    connection.close()
    told = await why(workspace, result.id)
    assert told[0].startswith(f"message {turn.event.id}")
    assert find(told, "task for cookie").startswith(f"└ task for cookie {task.id}")
    assert re.fullmatch(rf'  └ result {result.id}, .*: "baked"  <- asked about', told[-1])


async def test_causes_that_run_in_a_circle_come_to_an_end(workspace: Path) -> None:
    turn = await fill(workspace, conversation)
    connection = connect(database(workspace))
    connection.execute("UPDATE events SET cause_id = (SELECT max(id) FROM events) WHERE id = ?", (turn.event.id,))
    connection.close()
    assert len(await why(workspace, turn.event.id)) > 5


async def test_a_chain_is_plain_ascii_where_the_terminal_is_and_steers_nothing(workspace: Path) -> None:
    waiting = await fill(workspace, lambda store: accept(store, "red \x1b[31m\x07", key="k1"))
    done = await asyncio.to_thread(run, workspace, "why", waiting.event.id, PYTHONIOENCODING="ascii")
    assert done.stdout.isascii()
    assert "\x1b" not in done.stdout
    assert lines(done.stdout)[1].startswith("|-")


async def test_an_unknown_event_is_not_found(workspace: Path) -> None:
    await fill(workspace, conversation)
    done = await command(workspace, "why", "zzz")
    assert (done.returncode, done.stdout) == (1, "")
    assert "'zzz'" in done.stderr
