"""Known secrets are taken out of what tools return and of what leaves, however they are spelled (S55)."""

import base64
from pathlib import Path
from urllib.parse import quote

import pytest

from picklebot.core.events import TextDelta, ToolStarted
from picklebot.models.base import ModelRequest
from picklebot.testing import FakeChannel, ScriptedModel
from tests.flow.conftest import Daemon
from tests.flow.players import last, uses

SECRET = "sk-canary/4711+0815"
SPELLINGS = (
    SECRET,
    SECRET.encode().hex(),
    base64.b64encode(SECRET.encode()).decode(),
    base64.b64encode(b"a key: " + SECRET.encode()).decode(),
    quote(SECRET, safe=""),
)


@pytest.fixture(autouse=True)
def secret(workspace: Path) -> None:
    (workspace / ".env").write_text(f"ANTHROPIC_API_KEY={SECRET}\n")
    (workspace / ".env").chmod(0o600)


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_a_tools_result_shows_no_secret_to_the_model_and_keeps_none(
    daemon: Daemon, channel: FakeChannel, workspace: Path, spelling: str
) -> None:
    (workspace / "notes.md").write_text(f"before {spelling} after\n")
    seen: list[str] = []

    def note(request: ModelRequest) -> str:
        seen.append(last(request))
        return "noted"

    async with daemon(ScriptedModel(uses("read_file", path="notes.md"), note), channel) as app:
        await channel.say("read it")
        await channel.heard()
        log = [event for _, event in await app.store.log.after(0)]
    assert "before" in seen[0]
    assert "[redacted]" in seen[0]
    assert spelling not in seen[0]
    assert spelling not in str(log)
    assert spelling.encode() not in b"".join(path.read_bytes() for path in (workspace / ".picklebot").glob("*.db*"))


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_a_reply_that_says_a_secret_leaves_without_it(
    daemon: Daemon, channel: FakeChannel, spelling: str
) -> None:
    script = ScriptedModel(uses("glob", pattern=spelling), f"it is {spelling}, as you asked")
    async with daemon(script, channel) as app:
        with app.bus.subscribe(TextDelta, ToolStarted, maxsize=99) as live:
            await channel.say("say it")
            said = (await channel.heard())[1]
        shown = [event async for event in live]
    [started] = [event for event in shown if isinstance(event, ToolStarted)]
    assert "[redacted]" in started.summary
    assert spelling not in started.summary
    deltas = [event.text for event in shown if isinstance(event, TextDelta)]
    assert "".join(deltas) == said  # though the secret is cut by the pieces in which the model speaks
    assert len(deltas) > 1
    assert "[redacted]" in said
    assert spelling not in said
    assert said.startswith("it is ")
    assert said.endswith(", as you asked")


async def test_a_secret_that_a_long_output_is_cut_in_leaves_no_half(
    daemon: Daemon, channel: FakeChannel, workspace: Path
) -> None:
    (workspace / "tools").mkdir()
    (workspace / "tools" / "long.py").write_text(
        "from picklebot.tools.function import tool\n\n@tool\nasync def long() -> str:\n"
        f'    """Say much."""\n    return {SECRET!r} * 20_000\n'
    )
    with (workspace / "config.yaml").open("a") as file:
        file.write("tools: {local: true}\n")
    async with daemon(ScriptedModel(uses("long"), last), channel):
        await channel.say("x")
        said = (await channel.heard())[1]
    assert "canary" not in said
    assert "4711" not in said
