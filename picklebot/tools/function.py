"""Tools from typed Python functions.

    @tool(effect=Effect.PURE)
    def add(a: int, b: Annotated[int, Field(description="added to a")] = 1) -> int:
        'Add two numbers.'

Promises that the function is called with input of exactly its declared types, or not at all. A parameter of type
`ToolContext` is filled in, and no business of the model's. Knows no sandbox: the function runs in the daemon.
"""

import asyncio
import inspect
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, cast, overload

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_core import to_json

from picklebot.errors import ToolError
from picklebot.tools.base import Effect, Output, Tool, ToolContext

Function: TypeAlias = Callable[..., Any]

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,63}")  # what the Messages API takes
_SHOWN = 5  # problems told at once
_STRICT = ConfigDict(extra="forbid", arbitrary_types_allowed=False)


@overload
def tool(function: Function, /) -> Tool: ...
@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    effect: Effect = Effect.ONCE,
    check: Function | None = None,
    channels: frozenset[str] | None = None,
) -> Callable[[Function], Tool]: ...
def tool(
    function: Function | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    effect: Effect = Effect.ONCE,
    check: Function | None = None,
    channels: frozenset[str] | None = None,
) -> Tool | Callable[[Function], Tool]:
    """Make a `Tool` of a function: its name, its docstring, its signature.

    A plain function runs in a thread, which goes on to its end if the call is cancelled. `check`, for
    `Effect.RECONCILE`, takes the same parameters and returns the result that is there, or None. With `channels`, only
    turns from there are offered the tool.

    Raises:
        TypeError: if the function cannot be a tool; the message says why.
    """

    def make(wrapped: Function) -> Tool:
        words = description or inspect.getdoc(wrapped) or ""
        made = _make(_Bound.of(wrapped), name or wrapped.__name__, words, effect, check)
        return replace(made, channels=channels)

    return make if function is None else make(function)


def reach(*, private: bool = False, outside: bool = False, sends: bool = False) -> Callable[[Tool], Tool]:
    """Declare what a tool touches beyond its turn; the fields of `Tool` say what each word means.

    @reach(outside=True, sends=True)
    @tool(effect=Effect.PURE)
    def weather(place: str) -> str: ...
    """

    def declare(made: Tool) -> Tool:
        return replace(made, private=private, outside=outside, sends=sends)

    return declare


def _make(bound: "_Bound", name: str, description: str, effect: Effect, check: Function | None) -> Tool:
    if not _NAME.fullmatch(name):
        raise TypeError(f"{name!r} is no name for a tool: letters, digits, '_' and '-', a letter first, 64 at most")
    if not description:
        raise TypeError(f"the tool {name!r} needs a docstring: a model reads it to know what the tool is for")
    if (effect is Effect.RECONCILE) != (check is not None):
        raise TypeError(f"the tool {name!r}: Effect.RECONCILE and check= go together")
    checked = _Bound.of(check) if check is not None else None

    async def run(context: ToolContext, given: Mapping[str, Any]) -> Output:
        return _output(await bound.call(context, given))

    async def look(context: ToolContext, given: Mapping[str, Any]) -> str | None:
        assert checked is not None
        found = await checked.call(context, given)
        return None if found is None else _output(found)

    return Tool(
        name=name,
        description=description,
        input_schema=_without_titles(bound.model.model_json_schema()),
        run=run,
        effect=effect,
        check=look if checked is not None else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bound:
    """A function, and the model of its parameters: field `p0` for the first, with the parameter's name as alias."""

    function: Function
    model: type[BaseModel]
    names: tuple[str, ...]
    context: str | None

    @classmethod
    def of(cls, function: Function) -> "_Bound":
        fields: dict[str, Any] = {}
        names: list[str] = []
        context: str | None = None
        for name, parameter in inspect.signature(function, eval_str=True).parameters.items():
            if parameter.annotation is ToolContext:
                context = name
                continue
            fields[f"p{len(names)}"] = _field(function, parameter)
            names.append(name)
        # Fields are named by number, because a parameter may have a name that pydantic keeps for itself.
        model = create_model(function.__name__, __config__=_STRICT, **fields)
        return cls(function=function, model=model, names=tuple(names), context=context)

    async def call(self, context: ToolContext, given: Mapping[str, Any]) -> object:
        try:
            # As JSON, strictly: "5" is no integer, but a date may be written as text.
            values = self.model.model_validate_json(json.dumps(given), strict=True)
        except ValidationError as exc:
            raise ToolError(self._problems(exc)) from exc
        arguments = {name: getattr(values, f"p{index}") for index, name in enumerate(self.names)}
        if self.context is not None:
            arguments[self.context] = context
        if inspect.iscoroutinefunction(self.function):
            return await cast("Awaitable[object]", self.function(**arguments))
        return await asyncio.to_thread(self.function, **arguments)

    def _problems(self, exc: ValidationError) -> str:
        problems = exc.errors(include_url=False, include_input=False)
        told = [self._problem(".".join(map(str, each["loc"])), each["type"], each["msg"]) for each in problems[:_SHOWN]]
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        return f"the input does not fit: {'; '.join(told)}{more}"

    def _problem(self, place: str, kind: str, words: str) -> str:
        if kind == "extra_forbidden":
            return f"there is no {place!r}; there are: {', '.join(self.names) or 'no parameters'}"
        if kind == "missing":
            return f"{place!r} is missing"
        return f"{place!r}: {words}" if place else words


def _field(function: Function, parameter: inspect.Parameter) -> tuple[Any, Any]:
    where = f"{function.__name__}({parameter.name})"
    if parameter.kind not in {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}:
        raise TypeError(f"{where}: a tool's parameters are given by name, so no '*', '**' or '/'")
    if parameter.annotation is inspect.Parameter.empty:
        raise TypeError(f"{where} has no type: a model must know what to write")
    if parameter.default is inspect.Parameter.empty:
        return parameter.annotation, Field(alias=parameter.name)
    return parameter.annotation, Field(default=parameter.default, alias=parameter.name)


def _output(result: object) -> str:
    return result if isinstance(result, str) else to_json(result).decode()


def _without_titles(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return `schema` without the titles that pydantic adds: they cost tokens and say nothing."""
    clean: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "title" and isinstance(value, str):
            continue
        if key in {"properties", "$defs"}:  # below these, keys are names and not keywords
            clean[key] = {name: _without_titles(inner) for name, inner in value.items()}
        elif isinstance(value, dict) and key not in {"default", "const"}:
            clean[key] = _without_titles(cast("dict[str, Any]", value))
        elif isinstance(value, list) and key in {"anyOf", "allOf", "oneOf", "prefixItems"}:
            clean[key] = [_without_titles(inner) for inner in cast("list[dict[str, Any]]", value)]
        else:
            clean[key] = value
    return clean
