"""The memory tools, on real notes."""

from pathlib import Path
from typing import Any

import pytest

from picklebot.errors import ToolError
from picklebot.memory.notes import Notes
from picklebot.testing.clock import FakeClock
from picklebot.tools.base import Effect
from picklebot.tools.memory import create_memory_tools
from tests.tools.conftest import context


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return Notes(tmp_path / "memories")


async def call(notes: Notes, name: str, **given: Any) -> object:
    tools = {tool.name: tool for tool in create_memory_tools(notes, clock=FakeClock())}
    return await tools[name].run(context(), given)


async def test_what_is_saved_is_found_and_read_with_its_origin(notes: Notes) -> None:
    assert await call(notes, "save_memory", topic="Tea", content="She prefers Assam.") == "Saved in topics/tea.md."
    found = await call(notes, "search_memory", query="assam")
    assert found == "[topics/tea.md, 2030-01-01 00:00 UTC, from cli:ann]\nShe prefers Assam."
    read = await call(notes, "read_memory", path="topics/tea.md")
    assert read == "## 2030-01-01 00:00 UTC (from cli:ann)\n\nShe prefers Assam.\n"


async def test_saving_again_after_a_crash_keeps_one_note(notes: Notes) -> None:
    (save, *_) = create_memory_tools(notes, clock=FakeClock())
    assert save.effect is Effect.KEYED
    for _ in range(2):
        await save.run(context(), {"topic": "tea", "content": "Assam."})
    assert len(await notes.search("assam")) == 1


async def test_what_cannot_be_kept_or_found_is_told(notes: Notes) -> None:
    with pytest.raises(ToolError, match="is no topic"):
        await call(notes, "save_memory", topic="...", content="x")
    with pytest.raises(ToolError, match=r"no notes at '\.\./config\.yaml'"):
        await call(notes, "read_memory", path="../config.yaml")
    assert await call(notes, "search_memory", query="nothing") == "Nothing is remembered about 'nothing'."
