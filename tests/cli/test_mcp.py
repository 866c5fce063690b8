"""`picklebot mcp`: the real client library talks to the real program, over real pipes."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from picklebot.cli.mcp.home import Home
from picklebot.cli.mcp.pipes import MAX_LINE
from picklebot.config import load
from picklebot.core.events import InboundEvent, OutboundEvent
from picklebot.store.sqlite import SqliteStore
from picklebot.testing.faults import stall
from picklebot.testing.messages_api import MessagesApi, echo
from picklebot.workspace import Workspace
from tests.cli.running import PROGRAM, environment, fill, run
from tests.cli.serving import PATIENCE, serving

ON = {"PICKLEBOT_GATEWAY__ENABLED": "true", "PICKLEBOT_GATEWAY__PORT": "0"}
HELLO = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "by hand", "version": "1"},
}


@asynccontextmanager
async def connected(workspace: Path, heard: Path) -> AsyncIterator[Client]:
    """Connect as Claude Desktop would; what the program says on stderr goes into `heard`."""
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", "picklebot", "-w", str(workspace), "mcp"], env=environment(**ON)
    )
    with heard.open("a") as errors:
        async with Client(stdio_client(parameters, errlog=errors), read_timeout_seconds=PATIENCE) as client:
            yield client


async def call(client: Client, tool: str, **given: Any) -> str:
    """Call a tool that does as it is told; return its words."""
    result = await client.call_tool(tool, given)
    assert not result.is_error, result
    return words(result)


def words(result: Any) -> str:
    """Return what a tool said."""
    return str(result.content[0].text)


async def said(store: SqliteStore) -> Sequence[tuple[str, str]]:
    """Return what was accepted, and what was answered."""
    log = [event for _, event in await store.log.after(0, limit=1000)]
    answers = {event.cause_id: event.content for event in log if isinstance(event, OutboundEvent)}
    return [(event.content, answers.get(event.id, "")) for event in log if isinstance(event, InboundEvent)]


async def test_a_program_asks_agents_and_keeps_notes_and_a_second_one_joins_the_first(
    workspace: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    (workspace / "crons" / "brief").mkdir(parents=True)
    (workspace / "crons" / "brief" / "CRON.md").write_text("---\nname: Brief\nschedule: 0 9 * * *\n---\nTell me.\n")
    async with connected(workspace, first) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert [name for name, tool in tools.items() if tool.annotations and tool.annotations.read_only_hint] == [
            *("list_agents", "list_sessions", "read_session", "search_memory", "read_memory", "list_jobs")
        ]
        assert await call(client, "ask_agent", message="what is 6*7", key="one") == "6*7 = 42"
        assert await call(client, "ask_agent", message="what is 6*8") == "6*8 = 48"
        session = (await call(client, "list_sessions")).split()[0]
        told = await call(client, "read_session", session=session[:12])
        assert told.index("what is 6*7") < told.index("assistant: 6*7 = 42") < told.index("assistant: 6*8 = 48")
        assert await call(client, "save_memory", topic="tea", content="Ann drinks oolong.") == "Saved in topics/tea.md."
        assert "Ann drinks oolong." in await call(client, "search_memory", query="oolong")
        assert "Ann drinks oolong." in await call(client, "read_memory", path="topics/tea.md")
        assert "brief: Brief (next " in await call(client, "list_jobs")
        assert "echo: Says back" in await call(client, "list_agents")
        async with connected(workspace, second) as other:
            assert await call(other, "ask_agent", message="what is 6*9") == "6*9 = 54"
            again = await call(other, "ask_agent", message="what is 6*7", key="one")
            assert again == "6*7 = 42", "the same message"
            refused = await other.call_tool("read_memory", {"path": "../../.ssh/id_rsa"})
            assert refused.is_error
            refused = await other.call_tool("ask_agent", {"message": "hi", "agent": "nobody"})
            assert (refused.is_error, words(refused)) == (True, "no agent is called 'nobody': there is echo")
            refused = await other.call_tool("run_job", {"job": "brief"})
            assert "are begun where `picklebot server` runs" in words(refused)
    assert "this process (pid " in first.read_text()
    assert "joined the daemon (picklebot mcp, pid " in second.read_text()
    assert [question for question, _ in await fill(workspace, said)] == ["what is 6*7", "what is 6*8", "what is 6*9"]


async def test_a_question_outlives_the_daemon_it_was_put_to_and_is_put_once(workspace: Path, tmp_path: Path) -> None:
    notices: list[str | None] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        notices.append(message)

    heard = tmp_path / "heard"
    async with MessagesApi(stall(), default=echo) as api, serving(workspace, api) as server:
        async with connected(workspace, heard) as client, asyncio.TaskGroup() as group:
            asking = group.create_task(client.call_tool("ask_agent", {"message": "hello"}, progress_callback=note))
            await api.asked()
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
            result = await asking
            assert (result.is_error, words(result)) == (False, "echo: hello"), result
            assert "echo is at work" in notices

            api.extend(stall())
            cancelled = group.create_task(client.call_tool("ask_agent", {"message": "never mind"}))
            await api.asked(3)
            cancelled.cancel()
            await api.hung_up()
            assert await call(client, "ask_agent", message="still there?") == "echo: still there?"
        await asyncio.to_thread(server.stop)
    assert heard.read_text().count("joined the daemon (picklebot server") == 2
    asked = await fill(workspace, said)
    assert [question for question, _ in asked] == ["hello", "never mind", "still there?"]
    assert asked[0][1] == "echo: hello"


async def test_where_a_killed_server_does_not_come_back_this_process_takes_its_place(workspace: Path) -> None:
    heard: list[str] = []
    settings = workspace / "config.yaml"
    settings.write_text(settings.read_text().replace("gateway: {enabled: false}", "gateway: {port: 0}"))
    config = load(Workspace(workspace), {})
    async with serving(workspace) as server, asyncio.TaskGroup() as group:
        home = Home(config, group, tell=heard.append, patience=0.1)
        url, _ = await home.find()
        begins_jobs = [home.begins_jobs]
        assert (await home.find())[0] == url, "it is met once"
        await asyncio.to_thread(server.kill)
        mine, token = await home.find()
        begins_jobs.append(home.begins_jobs)
        async with httpx2.AsyncClient(base_url=mine, trust_env=False) as http:
            ready = await http.get("/readyz", headers={"Authorization": f"Bearer {token}"})
        assert ready.status_code == 200
        home.leave()
    assert begins_jobs == [True, False]
    assert heard[0].startswith("joined the daemon (picklebot server")
    assert f"so this process (pid {os.getpid()}) is one meanwhile" in heard[1]


def test_stdout_is_nothing_but_the_protocol_and_what_was_asked_is_answered_before_it_ends(workspace: Path) -> None:
    def frame(method: str, number: int | None = None, **params: Any) -> str:
        return json.dumps({"jsonrpc": "2.0", "method": method, "params": params} | ({"id": number} if number else {}))

    frames = [
        frame("initialize", 1, **HELLO),
        frame("notifications/initialized"),
        "",
        "this is no JSON",
        '{"long": "' + "x" * MAX_LINE + '"}',
        frame("tools/call", 2, name="ask_agent", arguments={"message": "what is 6*7"}),
        frame("tools/call", 3, name="ask_agent", arguments={"message": ""}),
        frame("tools/call", 4, name="no_such_tool", arguments={}),
    ]
    done = subprocess.run(
        [*PROGRAM, "-w", str(workspace), "mcp"],
        input="\n".join(frames) + "\n",
        env=environment(**ON),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    answers = {answer["id"]: answer for answer in map(json.loads, done.stdout.splitlines()) if "id" in answer}
    assert done.returncode == 0, done.stderr
    assert answers[1]["result"]["serverInfo"]["name"] == "picklebot"
    assert answers[2]["result"]["content"][0]["text"] == "6*7 = 42"
    assert answers[3]["result"]["content"][0]["text"] == "message: String should have at least 1 character"
    assert answers[4]["result"]["content"][0]["text"].startswith(
        "there is no tool 'no_such_tool'; there are: ask_agent,"
    )
    assert f"a request may have {MAX_LINE:,} bytes" in done.stdout


def test_without_a_gateway_it_says_what_it_needs(workspace: Path) -> None:
    done = run(workspace, "mcp")
    assert (done.returncode, done.stdout) == (78, "")
    assert "gateway.enabled is false, and `picklebot mcp` speaks to its daemon through the gateway" in done.stderr
