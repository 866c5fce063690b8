"""The tools there are, and the choice that an agent gets.

Promises unique names, a sorted choice, and outputs that fit a conversation. Knows no policy beyond allowed and denied.
"""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from picklebot.errors import ConfigError
from picklebot.tools.base import Tool

#: Tools that there are where something is set up for them: a rule may speak of them everywhere.
NOT_EVERYWHERE = frozenset({"bash", "web_search", "subagent_dispatch", "search_tools", "call_tool"})
LIMIT = 30_000  #: characters of one output that a model is shown
_REST = "to see the rest, ask for less at a time: read_file with offset and limit, or a narrower command"
_ROOM = 200  # for the line that says what is missing, beside the words for the rest
_HEAD = 0.7  # of what is kept; the end of an output often says how it went


class Toolset:
    """Every tool of the daemon, by name."""

    def __init__(self, tools: Iterable[Tool]) -> None:
        self._tools: dict[str, Tool] = {}
        for tool in tools:
            if tool.name in self._tools:
                raise ConfigError(f"two tools are called {tool.name!r}: rename one, or switch its source off")
            self._tools[tool.name] = tool

    @property
    def tools(self) -> Mapping[str, Tool]:
        """All of them."""
        return self._tools

    def knows(self, name: str) -> bool:
        """Return whether `name` stands for any tool; those of servers come and go, so every such name is known."""
        return name.startswith("mcp__") or name in self._tools or name in NOT_EVERYWHERE

    def select(self, allowed: Sequence[str] | None, denied: Sequence[str] = ()) -> list[Tool]:
        """Return the tools that `allowed` names (None: all) and `denied` does not, sorted by name.

        `mcp__server` stands for every tool of that server. What no tool is called is in `notes`.
        """
        wanted = set(self._tools) if allowed is None else self._named(allowed)
        return [self._tools[name] for name in sorted(wanted - self._named(denied))]

    def notes(self, allowed: Sequence[str] | None, denied: Sequence[str] = ()) -> list[str]:
        """Return a sentence for each name that stands for no tool, with the nearest that does."""
        return [self._note(name) for name in (*(allowed or ()), *denied) if not self._named([name])]

    def _named(self, names: Iterable[str]) -> set[str]:
        found: set[str] = set()
        for name in names:
            if name in self._tools:
                found.add(name)
            elif name.startswith("mcp__"):
                found.update(tool for tool in self._tools if tool.startswith(f"{name}__"))
        return found

    def _note(self, name: str) -> str:
        close = get_close_matches(name[:64], self._tools, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(sorted(self._tools)) or 'none'}"
        return f"there is no tool {name!r}; {hint}"


def cap(text: str, limit: int = LIMIT, *, rest: str = _REST) -> str:
    """Return `text` in at most `limit` characters: where it is longer, its beginning, a line on the cut, its end."""
    if len(text) <= limit:
        return text
    room = max(limit - len(rest) - _ROOM, 0)
    head = int(room * _HEAD)
    tail = room - head
    cut = len(text) - room
    return f"{text[:head]}\n[{cut:,} characters cut here; {rest}]\n{text[len(text) - tail :]}"[:limit]
