"""Choosing tools, and capping what they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picklebot.errors import ConfigError
from picklebot.tools.base import Tool, ToolContext
from picklebot.tools.toolset import Toolset, cap


def a_tool(name: str) -> Tool:
    async def run(context: ToolContext, given: object) -> str:
        return name

    return Tool(name=name, description=name, input_schema={"type": "object"}, run=run)


TOOLSET = Toolset(a_tool(name) for name in ("write_file", "bash", "read_file", "mcp__git__log", "mcp__git__show"))


def names(allowed: list[str] | None, denied: list[str] | None = None) -> list[str]:
    return [tool.name for tool in TOOLSET.select(allowed, denied or [])]


def test_two_tools_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="two tools are called 'bash'"):
        Toolset([a_tool("bash"), a_tool("bash")])


def test_nothing_named_means_all_and_an_empty_list_means_none() -> None:
    assert names(None) == ["bash", "mcp__git__log", "mcp__git__show", "read_file", "write_file"]
    assert names([]) == []


def test_denied_beats_allowed() -> None:
    assert names(["write_file", "bash"], ["bash"]) == ["write_file"]
    assert names(None, ["mcp__git", "bash"]) == ["read_file", "write_file"]


def test_a_server_stands_for_its_tools() -> None:
    assert names(["mcp__git"]) == ["mcp__git__log", "mcp__git__show"]
    assert names(["read"]) == []


def test_an_unknown_name_is_noted_with_the_nearest() -> None:
    assert names(["bahs", "read_file"]) == ["read_file"]
    assert TOOLSET.notes(["bahs", "read_file"], ["mcp__gti__log"]) == [
        "there is no tool 'bahs'; did you mean 'bash'?",
        "there is no tool 'mcp__gti__log'; did you mean 'mcp__git__log'?",
    ]
    assert TOOLSET.notes(None) == []


def test_what_fits_is_not_cut() -> None:
    assert cap("x" * 30_000) == "x" * 30_000


def test_what_is_cut_keeps_both_ends_and_says_how_much_is_gone() -> None:
    text = "begin" + "x" * 100_000 + "end"
    shown = cap(text)
    head, line, tail = shown.split("\n")
    assert head.startswith("begin")
    assert tail.endswith("end")
    assert line.startswith(f"[{len(text) - len(head) - len(tail):,} characters cut here; ")
    assert "offset" in line


@given(st.integers(0, 2000), st.integers(0, 2000))
def test_nothing_is_ever_longer_than_the_limit(length: int, limit: int) -> None:
    assert len(cap("x" * length, limit)) <= limit
