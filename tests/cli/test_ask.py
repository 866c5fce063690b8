"""Asking once: the reply alone on stdout, and an exit code that says what went wrong."""

import asyncio
import json
import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

from picklebot.channels.terminal import whoami
from picklebot.clock import SystemClock
from picklebot.core.messages import Message
from picklebot.core.source import Source
from picklebot.store.base import Arrival
from picklebot.store.sqlite import SqliteStore
from picklebot.testing.faults import stall, status
from picklebot.testing.messages_api import MessagesApi
from tests.cli.running import PROGRAM, environment, fill, run, run_json
from tests.cli.screen import Screen


def settings(api: MessagesApi, **more: str) -> dict[str, str]:
    return {
        "PICKLEBOT_MODEL__PROVIDER": "anthropic",
        "PICKLEBOT_MODEL__BASE_URL": api.url,
        "ANTHROPIC_API_KEY": "test",
        **more,
    }


async def undelivered(store: SqliteStore) -> int:
    return (await store.ledger.counts()).undelivered


def test_the_reply_stands_alone_on_stdout(workspace: Path) -> None:
    done = run(workspace, "ask", "what is 6*7", FORCE_COLOR="1")
    assert (done.returncode, done.stdout) == (0, "6*7 = 42\n")
    assert "\x1b" not in done.stderr
    assert asyncio.run(fill(workspace, undelivered)) == 0


def test_notices_go_to_stderr(workspace: Path) -> None:
    (workspace / "config.yaml").write_text("default_agent: echo\n")
    done = run(workspace, "ask", "what is 6*7")
    assert done.stdout == "6*7 = 42\n"
    assert "offline model" in done.stderr


def test_a_program_gets_one_document(workspace: Path) -> None:
    document = run_json(workspace, "ask", "what is 6*7", "--json")
    assert set(document) == {"event_id", "session_id", "agent", "reply", "error", "usage"}
    assert (document["agent"], document["reply"], document["error"]) == ("echo", "6*7 = 42", None)
    assert set(document["usage"]) == {"input_tokens", "output_tokens", "cost_usd"}
    assert document["usage"]["input_tokens"] > 0
    assert run_json(workspace, "ask", "again", "--json")["session_id"] == document["session_id"]
    chosen = run_json(workspace, "ask", "again", "--json", "-s", document["session_id"][:16])
    assert chosen["session_id"] == document["session_id"]
    assert chosen["event_id"] != document["event_id"]


def test_a_command_is_answered_too(workspace: Path) -> None:
    document = run_json(workspace, "ask", "/agents", "--json")
    assert "echo" in document["reply"]
    assert document["usage"]["output_tokens"] == 0


def test_a_dash_reads_stdin(workspace: Path) -> None:
    done = run_with_input(workspace, b"what is\n6*7\n")
    assert (done.returncode, done.stdout) == (0, b"6*7 = 42\n")


def test_more_than_a_message_may_hold_is_refused_in_words(workspace: Path) -> None:
    done = run_with_input(workspace, b"x" * 1_000_001)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"1,000,000 characters" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("said", [b"", b" \n"])
def test_nothing_to_ask_is_refused_in_words(workspace: Path, said: bytes) -> None:
    done = run_with_input(workspace, said)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"the text is empty" in done.stderr


def test_an_agent_or_a_session_that_does_not_exist_is_told_in_words(workspace: Path) -> None:
    for option, word in (("-a", "ecko"), ("-s", "nosuchsession")):
        done = run(workspace, "ask", "hello", option, word)
        assert (done.returncode, done.stdout) == (1, "")
        assert repr(word) in done.stderr
        assert "Traceback" not in done.stderr


def run_with_input(workspace: Path, said: bytes) -> subprocess.CompletedProcess[bytes]:
    command = [*PROGRAM, "-w", str(workspace), "ask", "-"]
    return subprocess.run(command, input=said, env=environment(), capture_output=True, timeout=50, check=False)


async def test_a_refused_key_is_exit_code_5(workspace: Path) -> None:
    async with MessagesApi(status(401)) as api:
        done = await asyncio.to_thread(run, workspace, "ask", "hello", **settings(api))
    assert (done.returncode, done.stdout) == (5, "")
    assert "I could not finish" in done.stderr


async def test_a_failure_is_in_the_document_too(workspace: Path) -> None:
    async with MessagesApi(status(401)) as api:
        done = await asyncio.to_thread(run, workspace, "ask", "hello", "--json", **settings(api))
    assert done.returncode == 5
    assert "401" in json.loads(done.stdout)["error"]


async def test_a_limit_is_exit_code_6(workspace: Path) -> None:
    call = Message("assistant", ({"type": "tool_use", "id": "t1", "name": "nothing", "input": {}},))
    async with MessagesApi(default=call) as api:
        more = settings(api, PICKLEBOT_LIMITS__TURN_STEPS="1")
        done = await asyncio.to_thread(run, workspace, "ask", "hello", **more)
    assert (done.returncode, done.stdout) == (6, "")
    assert "more than 1 steps" in done.stderr


async def test_a_limited_endpoint_is_exit_code_75(workspace: Path) -> None:
    async with MessagesApi(default=status(429, headers={"retry-after": "3000"})) as api:
        done = await asyncio.to_thread(run, workspace, "ask", "hello", **settings(api))
    assert done.returncode == 75, done.stderr


async def test_a_question_behind_one_that_waits_is_kept_and_not_waited_for(workspace: Path) -> None:
    async with MessagesApi(default=status(429, headers={"retry-after": "3000"})) as api:
        first = await asyncio.to_thread(run, workspace, "ask", "hi", **settings(api))
        second = await asyncio.to_thread(run, workspace, "ask", "still there?", **settings(api))
    assert (first.returncode, second.returncode) == (75, 75)
    assert "waits until" in second.stderr
    assert second.stdout == ""
    assert api.request_count == 1, "the endpoint said when to come back"


async def test_ctrl_c_is_exit_code_130(workspace: Path) -> None:
    async with MessagesApi(stall()) as api:
        command = [*PROGRAM, "-w", str(workspace), "ask", "tell me a story"]
        child = await asyncio.create_subprocess_exec(
            *command, env=environment(**settings(api)), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        await api.asked()
        child.send_signal(signal.SIGINT)
        _, errors = await asyncio.wait_for(child.communicate(), 40)
    assert child.returncode == 130
    assert b"Traceback" not in errors


def test_a_reply_that_nobody_could_read_stays_for_the_next_chat(workspace: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as out:
        done = subprocess.run(
            [*PROGRAM, "-w", str(workspace), "ask", "what is 6*7"],
            env=environment(),
            stdout=out,
            stderr=subprocess.PIPE,
            timeout=50,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, b"")
    assert asyncio.run(fill(workspace, undelivered)) == 1


async def leave_a_reply(store: SqliteStore) -> None:
    source = Source("cli", (whoami(),))
    arrival = Arrival(source=source, content="/x", key="k1", agent_id="echo", at=SystemClock().now())
    await store.inbox.answer(arrival, "The kettle is on.")


def test_an_older_reply_waits_for_the_next_chat_and_ours_does_not(workspace: Path) -> None:
    asyncio.run(fill(workspace, leave_a_reply))
    done = run(workspace, "ask", "what is 6*7")
    assert done.stdout == "6*7 = 42\n"
    assert asyncio.run(fill(workspace, undelivered)) == 1


async def test_on_a_terminal_the_reply_is_rendered(workspace: Path) -> None:
    async with MessagesApi("All is **well**.") as api:
        shown = await asyncio.to_thread(on_a_terminal, workspace, settings(api))
    assert shown == ["All is well."]


def on_a_terminal(workspace: Path, more: dict[str, str]) -> list[str]:
    """Ask on a terminal of 80 columns; return what a person sees there."""
    screen = Screen()
    ours, theirs = pty.openpty()
    command = [*PROGRAM, "-w", str(workspace), "ask", "hello"]
    env = environment(TERM="xterm", COLUMNS="80", LINES="24", **more)
    child = subprocess.Popen(command, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        while piece := _read(terminal.fileno()):
            screen.feed(piece)
    assert child.wait(50) == 0
    return screen.lines


def _read(descriptor: int) -> str:
    try:
        return os.read(descriptor, 65536).decode()
    except OSError:  # the last program has left this terminal
        return ""
