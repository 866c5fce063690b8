"""The two external agents of docs/external.md, with a daemon that is killed while they work."""

import asyncio
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from checks.markdown import blocks
from tests.cli.running import TOP
from tests.cli.serving import PATIENCE, serving
from tests.processes import named

SETTINGS = """\
default_agent: echoer
model: {provider: offline}
channels: {file: {enabled: true}}
"""
UNTIL_GO = "iter(lambda: os.path.exists('go'), True)"


@pytest.fixture
def place(workspace: Path) -> Path:
    """Make the agents as the page says, and return where files are dropped and found."""
    (workspace / "config.yaml").write_text(SETTINGS)
    page = (TOP / "docs" / "external.md").read_text(encoding="utf-8")
    for block in blocks(page):
        if block.language == "sh":
            script = block.text.partition("\npicklebot ask")[0]
            # Its work lasts until the test lets it end.
            script = script.replace("import time", "import os, time").replace("range(10)", UNTIL_GO)
            subprocess.run(["sh", "-ec", script], cwd=workspace, check=True)
    return workspace / ".picklebot" / "files"


def drop(place: Path, name: str, content: str, agent: str) -> None:
    text = json.dumps({"content": content, "from": agent, "agent": agent})
    (place / "in" / f".{name}").write_text(text)
    (place / "in" / f".{name}").rename(place / "in" / f"{name}.json")


def found(place: Path, agent: str) -> list[str]:
    """Return what an agent has said, in order."""
    replies = [json.loads(path.read_text()) for path in (place / "out").glob("*.json")]
    # A reply that answers several messages lies there once for each.
    ours = sorted({(each["id"], each["content"]) for each in replies if each["to"] == agent})
    return [content for _, content in ours]


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not done():  # noqa: ASYNC110  # files are all that a program outside sees
            await asyncio.sleep(0.02)


def go(place: Path) -> Path:
    """Return the file that lets the work of the one in Python end."""
    [folder] = (place.parent / "ipc" / "echoer").iterdir()
    return folder / "go"


async def test_agents_of_the_page_converse_take_follow_ups_survive_a_kill_and_leave_when_asked(place: Path) -> None:
    workspace = place.parents[1]

    async def says(agent: str, *expected: str) -> None:
        await until(lambda: len(found(place, agent)) >= len(expected))
        assert found(place, agent) == [*expected]

    async with serving(workspace) as server:
        drop(place, "a", "one", "echoer")
        drop(place, "b", 'say "one"', "parrot")
        await says("echoer", *(said := ["Let me think ..."]))
        drop(place, "c", "two", "echoer")
        drop(place, "d", "two", "parrot")
        await says("echoer", *(said := [*said, "That too ..."]))
        go(place).touch()
        await says("echoer", *(said := [*said, "You said: one, then two"]))
        await says("parrot", 'You said: say "one"', "You said: two")

        go(place).unlink()
        drop(place, "e", "three", "echoer")
        await says("echoer", *(said := [*said, "Let me think ..."]))
        assert named(workspace, "echoer.py")
        assert named(workspace, "parrot.sh")
        await asyncio.to_thread(server.kill)
        await until(lambda: not named(workspace, "echoer.py", "parrot.sh"))

        await asyncio.to_thread(server.start)
        drop(place, "f", "three", "parrot")
        await says("echoer", *(said := [*said, "Let me think ..."]))  # it is handed the message once more
        go(place).touch()
        await says("echoer", *said, "You said: three")
        await says("parrot", 'You said: say "one"', "You said: two", "You said: three")
        await asyncio.to_thread(server.stop)
        assert not named(workspace, "echoer.py", "parrot.sh")
