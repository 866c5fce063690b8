"""What there is to document, read from the code: settings, commands, slash commands, tools, events.

Promises the same answer on every machine, and that nothing a user can name is left out. Knows no page.
"""

import asyncio
import inspect
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import typer

from picklebot.app import open_app
from picklebot.cli.main import app
from picklebot.config import Config, json_schema
from picklebot.core import events
from picklebot.gateway.endpoint import Endpoint
from picklebot.gateway.worker import GatewayWorker
from picklebot.tools.base import Tool
from picklebot.wiring.tools import describe_tools
from picklebot.workers.commands import Command
from picklebot.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A key of config.yaml, by its dotted path."""

    path: str
    kind: str
    default: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandHelp:
    """A command by its words after `picklebot`, and (spelling, help, default) of what it takes."""

    words: str
    help: str
    takes: Sequence[tuple[str, str, str]]


def settings() -> list[Setting]:
    """Return every key that config.yaml may hold, in the order of the schema."""
    schema = json_schema()
    return list(_walk(schema, schema["$defs"], ""))


def _walk(section: Mapping[str, Any], known: Mapping[str, Any], prefix: str) -> Iterator[Setting]:
    for name, shape in section["properties"].items():
        path = f"{prefix}{name}"
        below = _below(shape, known)
        needed = name in section.get("required", ())
        default = "needed" if needed else f"`{json.dumps(shape['default'])}`" if "default" in shape else ""
        description = shape.get("description") or _resolved(shape, known).get("description", "")
        yield Setting(path=path, kind=_kind(shape), default=default, description=description)
        if below is not None:
            step, inner = below
            yield from _walk(inner, known, f"{path}{step}.")


def _resolved(shape: Mapping[str, Any], known: Mapping[str, Any]) -> Mapping[str, Any]:
    return known[shape["$ref"].rpartition("/")[2]] if "$ref" in shape else shape


def _below(shape: Mapping[str, Any], known: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]] | None:
    """Return how to step to the section inside `shape`, and that section, if there is one."""
    places = [("", each) for each in (shape, *shape.get("anyOf", ()))]
    places += [(step, shape[key]) for step, key in ((".NAME", "additionalProperties"), ("[]", "items")) if key in shape]
    return next(((step, _resolved(each, known)) for step, each in places if "$ref" in each), None)


def _kind(shape: Mapping[str, Any]) -> str:
    match shape:
        case {"enum": choices}:
            return ", ".join(f"`{choice}`" for choice in choices)
        case {"anyOf": choices}:
            return " or ".join(_kind(choice) for choice in choices)
        case {"type": ["number", "string"]}:
            return "duration"
        case {"type": "array", "items": inner}:
            return "list" if "$ref" in inner else f"list of {_kind(inner)}"
        case {"type": "object", "additionalProperties": _}:
            return "mapping"
        case {"$ref": _}:
            return "section"
        case {"type": str(kind)}:
            return {"string": "text", "boolean": "true or false"}.get(kind, kind)
        case _:
            raise ValueError(f"no word for the shape {shape!r}")


def commands() -> list[CommandHelp]:
    """Return every command, groups left out."""
    return list(_leaves(cast("Any", typer.main.get_command(app)), ""))


def _leaves(command: Any, words: str) -> Iterator[CommandHelp]:
    inner: Mapping[str, Any] = getattr(command, "commands", {})
    takes = [_parameter(each) for each in command.params if each.name != "help"]
    if not inner or not words:
        yield CommandHelp(words=words, help=str(command.help or ""), takes=takes)
    for name, each in inner.items():
        yield from _leaves(each, f"{words} {name}".strip())


def _parameter(parameter: Any) -> tuple[str, str, str]:
    if parameter.param_type_name == "argument":
        name = str(parameter.name).upper()
        spelling = name if parameter.required else f"[{name}]"
    else:
        spelling = ", ".join(sorted(parameter.opts, key=len))
    default = "" if parameter.default in {None, False} else f"`{parameter.default}`"
    return f"`{spelling}`", str(parameter.help or ""), default


def tools() -> list[Tool]:
    """Return the tools that come with picklebot, by name."""
    return sorted(describe_tools(_config(Path("workspace"))), key=lambda tool: tool.name)


def slash_commands() -> list[Command]:
    """Return the slash commands of a daemon, by name."""

    async def opened(folder: Path) -> list[Command]:
        async with open_app(_config(folder)) as daemon:
            return daemon.staff.commands.known

    with tempfile.TemporaryDirectory(prefix="picklebot-reference-") as folder:
        return asyncio.run(opened(Path(folder)))


def endpoints() -> list[Endpoint]:
    """Return the routes of the gateway."""

    async def opened(folder: Path) -> list[Endpoint]:
        async with open_app(_config(folder, gateway={"port": 0})) as daemon:
            return cast("GatewayWorker", daemon.gateway).site.description.endpoints

    with tempfile.TemporaryDirectory(prefix="picklebot-reference-") as folder:
        return asyncio.run(opened(Path(folder)))


def _config(folder: Path, **further: object) -> Config:
    quiet = {"model": {"provider": "offline"}, "gateway": {"enabled": False}}
    everything = {**quiet, **further, "web": {"search": {"provider": "searxng", "url": "http://searx"}}}
    return Config.build(everything, workspace=Workspace(folder), env={})


def event_kinds() -> list[type[events.Event]]:
    """Return every kind of event, in the order of the module."""
    found = [each for each in vars(events).values() if inspect.isclass(each) and issubclass(each, events.Event)]
    return [each for each in found if each not in {events.Event, events.Notice}]
