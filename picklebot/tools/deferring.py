"""Tools that are named and not described, where there are many: a model looks up what it needs.

Promises that what stands before every conversation stays the same for as long as the tools do, so that the endpoint's
cache holds: what a look-up finds is a result, and the tool is called through `call_tool`. Such a call is taken for what
it is before anything judges, records or runs it. Knows no server.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, cast

from pydantic import Field

from picklebot.core.messages import ToolCall
from picklebot.errors import ToolError
from picklebot.tools.base import Effect, Tool
from picklebot.tools.function import tool

SEARCH, CALL = "search_tools", "call_tool"
FOUND, MOST = 5, 20  #: tools that one look-up describes
NAMED = 20_000  #: characters of names in the description


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """The tools of a turn: `shown` are described to the model, `every` may be called."""

    shown: Mapping[str, Tool]
    every: Mapping[str, Tool]

    def meant(self, call: ToolCall) -> ToolCall:
        """Return the call that a `call_tool` stands for; any other is what it is."""
        if call.name != CALL or CALL not in self.shown or call.problem is not None:
            return call
        name, given = call.input.get("name"), call.input.get("input", {})
        if isinstance(given, str):  # some models write JSON into JSON
            try:
                given = json.loads(given)
            except ValueError:
                return replace(call, problem="`input` is no JSON object")
        if not isinstance(given, Mapping):
            return replace(call, problem="`input` is an object, as search_tools describes it")
        if not isinstance(name, str) or name not in self.every or name in {CALL, SEARCH}:
            return replace(call, problem=f"there is no tool {str(name)[:64]!r}; {SEARCH} finds those that there are")
        return replace(call, name=name, input=cast("Mapping[str, Any]", given))


def deferred(tools: Mapping[str, Tool], *, above: int) -> Kit:
    """Return the tools as a model is to meet them: those of servers by name only, where there are more than `above`."""
    served = {name: each for name, each in tools.items() if name.startswith("mcp__")}
    if len(served) <= above:
        return Kit(shown=tools, every=tools)
    own = {name: each for name, each in tools.items() if name not in served}
    finding = {each.name: each for each in create_deferring_tools(served)}
    return Kit(shown={**own, **finding}, every={**tools, **finding})


def create_deferring_tools(served: Mapping[str, Tool]) -> list[Tool]:
    """Return search_tools, which describes what `served` holds, and call_tool."""

    @tool(
        name=SEARCH,
        effect=Effect.PURE,
        description=(
            "Describe tools that are not described here, with what each takes. Look a tool up before you call it with "
            f"{CALL}. There are: {_names(served)}"
        ),
    )
    async def search_tools(
        query: Annotated[str, Field(description="Names of tools, or words for what is to be done.", min_length=1)],
        limit: Annotated[int, Field(description="How many to describe.", ge=1, le=MOST)] = FOUND,
    ) -> str:
        found = _search(served, query)[:limit]
        return "\n\n".join(map(_described, found)) or f"No tool fits {query!r}. There are: {_names(served)}"

    @tool(name=CALL, description=f"Call a tool that {SEARCH} has described.")
    async def call_tool(
        name: Annotated[str, Field(description=f"Its name, as {SEARCH} tells it.", min_length=1)],
        input: Annotated[dict[str, Any], Field(description="What it takes.")],  # noqa: A002  # the model's word for it
    ) -> str:
        raise ToolError(f"there is no tool {name[:64]!r} here")  # every other call is run as what it stands for

    return [search_tools, call_tool]


def _names(served: Mapping[str, Tool]) -> str:
    every = sorted(served)
    text = ", ".join(every)
    if len(text) <= NAMED:
        return text or "none"
    shown = text[:NAMED].rpartition(", ")[0]
    return f"{shown}, and {len(every) - shown.count(', ') - 1} more"


def _search(served: Mapping[str, Tool], query: str) -> Sequence[Tool]:
    words = set(re.findall(r"[a-z0-9]+", query.lower()))
    scored = [(_score(each, query, words), name) for name, each in served.items()]
    return [served[name] for score, name in sorted(scored, key=lambda each: (-each[0], each[1])) if score]


def _score(found: Tool, query: str, words: set[str]) -> int:
    """Weigh a tool: named whole, then words of its name, then words of its description."""
    name = set(re.findall(r"[a-z0-9]+", found.name.lower())) - {"mcp"}
    described = set(re.findall(r"[a-z0-9]+", found.description.lower()))
    return 1000 * (found.name in query) + 10 * len(words & name) + len(words & described)


def _described(found: Tool) -> str:
    schema = json.dumps(found.input_schema, ensure_ascii=False, separators=(",", ":"))
    return f"{found.name}\n{found.description}\ninput: {schema}"
