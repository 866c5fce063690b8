"""Tools made of functions."""

import asyncio
import threading
from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from picklebot.errors import ToolError
from picklebot.tools.base import Effect, Tool, ToolContext
from picklebot.tools.function import tool
from tests.tools.conftest import context


class Colour(Enum):
    RED = "red"


class Place(BaseModel):
    title: str
    zip: int = 0


@tool
def add(a: int, b: Annotated[int, Field(description="added to a")] = 1) -> int:
    """Add two numbers."""
    return a + b


@tool(name="who", description="Say who asks.", effect=Effect.PURE)
async def whoever(schema: str, caller: ToolContext, *, json: bool = False) -> str:
    return f"{caller.agent_id} {schema} {json}"


async def call(tool: Tool, **given: Any) -> object:
    return await tool.run(context(), given)


def test_a_plain_function_becomes_a_tool() -> None:
    assert (add.name, add.description, add.effect) == ("add", "Add two numbers.", Effect.ONCE)
    assert add.input_schema == {
        "type": "object",
        "properties": {
            "a": {"type": "integer"},
            "b": {"type": "integer", "default": 1, "description": "added to a"},
        },
        "required": ["a"],
        "additionalProperties": False,
    }


def test_the_context_and_our_own_words_stay_out_of_the_schema() -> None:
    assert (whoever.name, whoever.description, whoever.effect) == ("who", "Say who asks.", Effect.PURE)
    assert set(whoever.input_schema["properties"]) == {"schema", "json"}
    assert whoever.input_schema["required"] == ["schema"]


async def test_it_is_called_with_its_input_and_its_context() -> None:
    assert await call(add, a=2) == "3"
    assert await call(add, a=2, b=3) == "5"
    assert await call(whoever, schema="x", json=True) == "pickle x True"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "'a' is missing"),
        ({"a": "2"}, "'a': Input should be a valid integer"),
        ({"a": True}, "'a': Input should be a valid integer"),
        ({"a": None}, "'a': Input should be a valid integer"),
        ({"a": 1, "c": 2}, "there is no 'c'; there are: a, b"),
        ({"a": "x", "b": "y"}, "'a': .*; 'b': "),
        ({"a": float("nan")}, "does not fit"),
        ({"a": "\ud800"}, "does not fit"),
    ],
)
async def test_input_that_does_not_fit_is_told_in_words(given: Mapping[str, Any], words: str) -> None:
    with pytest.raises(ToolError, match=words) as raised:
        await add.run(context(), given)
    assert "\n" not in str(raised.value)


async def test_values_become_what_the_signature_says() -> None:
    @tool
    def plan(day: date, colour: Colour, size: Literal["s", "l"], places: list[Place], share: float = 0.5) -> object:
        """Plan."""
        assert isinstance(day, date)
        assert isinstance(colour, Colour)
        return {"day": day, "place": places[0], "share": share, "size": size}

    given = {"day": "2026-11-21", "colour": "red", "size": "s", "places": [{"title": "Rome"}], "share": 1}
    assert await call(plan, **given) == '{"day":"2026-11-21","place":{"title":"Rome","zip":0},"share":1.0,"size":"s"}'
    with pytest.raises(ToolError, match=r"'places.0.title' is missing"):
        await call(plan, **{**given, "places": [{}]})
    # A title of pydantic's own is dropped; a property that is called so is not.
    assert plan.input_schema["$defs"]["Place"] == {
        "type": "object",
        "properties": {"title": {"type": "string"}, "zip": {"type": "integer", "default": 0}},
        "required": ["title"],
    }


async def test_a_plain_function_runs_in_a_thread_and_a_coroutine_in_the_loop() -> None:
    @tool
    def plain() -> bool:
        """Plain."""
        return threading.current_thread() is threading.main_thread()

    @tool
    async def coroutine() -> bool:
        """Coroutine."""
        await asyncio.sleep(0)
        return threading.current_thread() is threading.main_thread()

    assert await call(plain) == "false"
    assert await call(coroutine) == "true"


async def test_a_check_takes_the_same_input_and_says_what_it_found() -> None:
    done: list[str] = []

    async def look(name: str, context: ToolContext) -> str | None:
        return f"{name} is done by {context.agent_id}" if name in done else None

    @tool(effect=Effect.RECONCILE, check=look)
    async def do(name: str) -> str:
        """Do it."""
        done.append(name)
        return "done"

    assert do.check is not None
    assert await do.check(context(), {"name": "x"}) is None
    await call(do, name="x")
    assert await do.check(context(), {"name": "x"}) == "x is done by pickle"
    with pytest.raises(ToolError, match="'name' is missing"):
        await do.check(context(), {})


def test_a_function_that_cannot_be_a_tool_says_why() -> None:
    def untyped(a) -> str:  # type: ignore[no-untyped-def]  # that is the point
        """Doc."""
        return ""

    def rest(*args: int) -> str:
        """Doc."""
        return ""

    def silent() -> str:
        return ""

    def fine() -> str:
        """Doc."""
        return ""

    with pytest.raises(TypeError, match=r"untyped\(a\) has no type"):
        tool(untyped)
    with pytest.raises(TypeError, match=r"rest\(args\)"):
        tool(rest)
    with pytest.raises(TypeError, match="needs a docstring"):
        tool(silent)
    with pytest.raises(TypeError, match="is no name for a tool"):
        tool(name="no spaces")(fine)
    with pytest.raises(TypeError, match="go together"):
        tool(effect=Effect.RECONCILE)(fine)
    with pytest.raises(TypeError, match="go together"):
        tool(check=fine)(fine)


async def test_a_failure_of_the_function_is_its_own() -> None:
    @tool
    def refuse() -> str:
        """Refuse."""
        raise ToolError("the door is locked")

    with pytest.raises(ToolError, match="the door is locked"):
        await call(refuse)
