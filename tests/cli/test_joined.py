"""`chat` and `ask` beside a running daemon: the real programs."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
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
from tests.cli.serving import Server, serving
from tests.cli.terminal import CTRL_C, ENTER, Terminal
from tests.cli.test_plain import pipe


@pytest.fixture
def chat(workspace: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def open_terminal(*arguments: str) -> Terminal:
        opened.append(Terminal(workspace, *arguments))
        return opened[-1]

    yield open_terminal
    for terminal in opened:
        terminal.close()


async def undelivered(store: SqliteStore) -> int:
    return (await store.ledger.counts()).undelivered


async def leave_a_reply(store: SqliteStore) -> None:
    source = Source("cli", (whoami(),))
    arrival = Arrival(source=source, content="/x", key="k1", agent_id="echo", at=SystemClock().now())
    await store.inbox.answer(arrival, "The kettle is **on**.")


async def test_ask_joins_the_daemon_and_says_so(workspace: Path) -> None:
    async with serving(workspace) as server:
        done = await asyncio.to_thread(run, workspace, "ask", "what is 6*7")
        assert (done.returncode, done.stdout) == (0, "6*7 = 42\n")
        assert done.stderr == f"joined the daemon (pid {server.pid})\n"
        document = await asyncio.to_thread(run_json, workspace, "ask", "what is 7*8", "--json")
        assert (document["agent"], document["reply"], document["error"]) == ("echo", "7*8 = 56", None)
        assert document["usage"]["input_tokens"] > 0
        status = await asyncio.to_thread(run_json, workspace, "status", "--json")
        assert (status["undelivered"], status["open"]) == (0, 0)


async def test_a_conversation_is_the_same_joined_and_not(workspace: Path) -> None:
    alone = await asyncio.to_thread(run_json, workspace, "ask", "remember tea", "--json")
    async with serving(workspace):
        joined = await asyncio.to_thread(run_json, workspace, "ask", "remember milk", "--json")
    assert joined["session_id"] == alone["session_id"]


async def test_the_exit_codes_are_those_of_a_daemon_in_the_same_process(workspace: Path) -> None:
    async with MessagesApi(status(401)) as api, serving(workspace, api):
        failed = await asyncio.to_thread(run, workspace, "ask", "hello")
        assert (failed.returncode, failed.stdout) == (5, "")
        assert "I could not finish" in failed.stderr
        for arguments, code, words in (
            (("ask", "hi", "-a", "nobody"), 1, "no agent is called 'nobody'"),
            (("ask", "hi", "-s", "nowhere"), 1, "there is no session 'nowhere'"),
            (("ask", " "), 1, "the text is empty"),
        ):
            done = await asyncio.to_thread(run, workspace, *arguments)
            assert (done.returncode, words in done.stderr) == (code, True), done.stderr


async def test_through_a_pipe_one_talks_to_the_daemon_and_sees_its_sessions(workspace: Path) -> None:
    async with serving(workspace) as server:
        said = await asyncio.to_thread(run_json, workspace, "ask", "what is 6*7", "--json")
        done = await asyncio.to_thread(pipe, workspace, "what is 7*8\n/sessions\n", "--new")
        assert done.returncode == 0, done.stderr
        assert done.stderr == f"joined the daemon (pid {server.pid})\n"
        assert done.stdout.startswith("7*8 = 56\n")
        assert len(re.findall(r"^- \w{24} with ", done.stdout, re.MULTILINE)) == 2
        back = await asyncio.to_thread(pipe, workspace, "/session\n", "-s", said["session_id"][:16])
        assert said["session_id"] in back.stdout


async def test_a_long_message_goes_over_in_pieces(workspace: Path) -> None:
    async with serving(workspace):
        done = await asyncio.to_thread(pipe, workspace, "é" * 300_000 + " what is 6*7\n" + "x" * 1_100_000 + "\n")
        assert "Not accepted: the message has more than 1,000,000 characters" in done.stderr
        assert done.returncode == 1
        listed = await asyncio.to_thread(run_json, workspace, "events", "list", "--json")
        [said] = [each["event"] for each in listed["events"] if each["event"]["type"] == "InboundEvent"]
        assert len(said["content"]) == 300_012


async def test_one_talks_on_a_terminal_with_tools_and_ctrl_c(workspace: Path, chat: Callable[..., Terminal]) -> None:
    glob = {"type": "tool_use", "id": "c1", "name": "glob", "input": {"pattern": "*"}}
    async with (
        MessagesApi(Message("assistant", (glob,)), "Two **files**.", stall(after_events=3), "Still here.") as api,
        serving(workspace, api) as server,
    ):

        def talk() -> int:
            terminal = chat()
            terminal.see(f"joined the daemon (pid {server.pid})")
            terminal.see("echo · a new session")
            terminal.say("what is here?", "Two files.")
            assert "glob" in terminal.text
            terminal.type("tell me a story" + ENTER)
            terminal.see("this a")
            terminal.type(CTRL_C)
            terminal.see("Stopped.")
            terminal.say("are you there?", "Still here.")
            assert terminal.text.count("Two files.") == terminal.text.count("Still here.") == 1
            return terminal.leave()

        assert await asyncio.to_thread(talk) == 0
        assert (await asyncio.to_thread(run_json, workspace, "status", "--json"))["undelivered"] == 0


async def test_a_reply_that_waited_is_shown_once_and_counts_as_delivered_then(
    workspace: Path, chat: Callable[..., Terminal]
) -> None:
    await fill(workspace, leave_a_reply)
    async with serving(workspace) as server:

        def talk() -> int:
            terminal = chat()
            terminal.see("The kettle is on.")
            terminal.see("(this arrived meanwhile)")
            terminal.prompt()
            return terminal.leave()

        assert await asyncio.to_thread(talk) == 0
        await asyncio.to_thread(server.stop)
    assert await fill(workspace, undelivered) == 0


async def test_a_daemon_that_dies_is_waited_for_and_its_turn_is_answered_once(
    workspace: Path, chat: Callable[..., Terminal]
) -> None:
    async with MessagesApi(stall(after_events=3), "Here I am again.", "Yes.") as api, serving(workspace, api) as server:

        def talk() -> int:
            terminal = chat()
            terminal.prompt()
            terminal.type("tell me a story" + ENTER)
            terminal.see("this a")
            first = server.pid
            server.kill()
            terminal.see(f"The daemon (pid {first}) is gone")
            server.start()
            terminal.see(f"The daemon is back (pid {server.pid})")
            terminal.see("Here I am again.")
            terminal.say("really?", "Yes.")
            assert terminal.text.count("Here I am again.") == terminal.text.count("Yes.") == 1
            return terminal.leave()

        assert await asyncio.to_thread(talk) == 0
        assert (await asyncio.to_thread(run_json, workspace, "status", "--json"))["undelivered"] == 0
        listed = await asyncio.to_thread(run_json, workspace, "events", "list", "--json")
        assert [each["event"]["type"] for each in listed["events"]].count("InboundEvent") == 2


async def test_a_daemon_that_dies_at_the_prompt_says_so_above_it(
    workspace: Path, chat: Callable[..., Terminal]
) -> None:
    async with serving(workspace) as server:

        def talk() -> int:
            terminal = chat()
            terminal.say("what is 6*7", "42")
            server.kill()
            terminal.see("is gone; waiting for it to come back")
            terminal.prompt()
            terminal.type("what is 7*8" + ENTER)  # nobody is there to hear it
            server.start()
            terminal.see("56")
            terminal.prompt()
            return terminal.leave()

        assert await asyncio.to_thread(talk) == 0


async def ask(workspace: Path, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *PROGRAM,
        *("-w", str(workspace), "ask", *arguments),
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_ask_waits_for_a_daemon_that_died_and_prints_its_answer_once(workspace: Path) -> None:
    async with MessagesApi(stall(after_events=3), "All is well.") as api, serving(workspace, api) as server:
        asking = await ask(workspace, "how are you?", "--json")
        await api.asked(1)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        out, err = await asyncio.wait_for(asking.communicate(), 40)
        assert (asking.returncode, json.loads(out)["reply"]) == (0, "All is well.")
        assert b"is gone; waiting" in err
        assert b"is back" in err
        assert (await asyncio.to_thread(run_json, workspace, "status", "--json"))["undelivered"] == 0


def test_a_server_stops_while_a_terminal_is_open(workspace: Path, chat: Callable[..., Terminal]) -> None:
    server = Server(workspace)
    server.start()
    terminal = chat()
    terminal.see("joined the daemon")
    server.stop()
    terminal.see("is gone; waiting for it to come back")
    assert terminal.interrupt_until_it_ends() in {130, -2}
