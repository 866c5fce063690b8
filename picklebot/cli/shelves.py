"""`picklebot agents|skills|crons|tools`: what the workspace defines, listed and shown.

Promises that a broken definition is named, on stderr, and hides no other.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from picklebot.cli.output import counted, local, many_lines, one_line, print_json, print_table, remark, say
from picklebot.cli.reading import reading
from picklebot.cli.toolbox import known_tools
from picklebot.clock import SystemClock, zone_named
from picklebot.config import Config
from picklebot.core.text import shorten
from picklebot.definitions.agents import AgentSpec
from picklebot.definitions.crons import CronSpec
from picklebot.definitions.library import Library, Problem
from picklebot.definitions.skill_needs import missing
from picklebot.definitions.skills import SkillSpec
from picklebot.definitions.values import nearest
from picklebot.errors import NotFound
from picklebot.tools.base import Tool
from picklebot.wiring.fields import LONG, cron_fields, definition_fields
from picklebot.wiring.machine import machine_of_tools
from picklebot.wiring.skills import library_of
from picklebot.wiring.upcoming import jobs_of, states_of
from picklebot.workers.plans import upcoming

_WIDE = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """One thing on a shelf: its row in the list, its fields, and its long texts, which only `show` shows."""

    row: Sequence[str]
    fields: Mapping[str, Any]
    texts: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Everything of one kind, by id, and what could not be read."""

    header: Sequence[str]
    exhibits: Mapping[str, Exhibit]
    problems: Sequence[Problem] = ()


def list_all(*, config: Config, kind: str, as_json: bool) -> int:
    """List all of one kind."""
    shelf = _SHELVES[kind](config)
    if as_json:
        print_json({kind: [dict(exhibit.fields) for exhibit in shelf.exhibits.values()]})
    elif not shelf.exhibits:
        remark(f"There are no {kind} in {config.workspace.root}.")
    else:
        print_table(shelf.header, [exhibit.row for exhibit in shelf.exhibits.values()])
    if shelf.problems:
        remark(f"{counted(len(shelf.problems), 'file')} could not be read: `picklebot doctor` says why.")
    return 0


def show(*, config: Config, kind: str, name: str, as_json: bool) -> int:
    """Show one of a kind, whole."""
    shelf = _SHELVES[kind](config)
    if name not in shelf.exhibits:
        raise NotFound(_explain(kind.removesuffix("s"), name, shelf))
    exhibit = shelf.exhibits[name]
    if as_json:
        print_json({**exhibit.fields, **exhibit.texts})
        return 0
    for key, value in exhibit.fields.items():
        if value not in (None, "", [], {}):
            say(f"{key}: {one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))}")
    for text in exhibit.texts.values():
        if text:
            say()
            say(many_lines(text))
    return 0


def _explain(kind: str, name: str, shelf: Shelf) -> str:
    for problem in shelf.problems:
        if problem.id == name:
            place = f"{problem.path}:{problem.line}" if problem.line else str(problem.path)
            return f"the {kind} {name!r} cannot be read: {place}: {problem.message}"
    near = nearest(name, shelf.exhibits)
    hint = f"did you mean {near!r}?" if near else f"`picklebot {kind}s list` shows what there is"
    return f"there is no {kind} {name!r}; {hint}"


def _agents(config: Config) -> Shelf:
    library = _library(config)

    def exhibit(spec: AgentSpec) -> Exhibit:
        model = spec.model.name or config.model.name
        row = (spec.id, spec.name, model, shorten(spec.description, _WIDE))
        fields = definition_fields(spec, config.workspace.root, without=LONG["agent"])
        return Exhibit(row=row, fields=fields, texts={"prompt": spec.prompt, "soul": spec.soul})

    exhibits = {name: exhibit(spec) for name, spec in library.agents.items()}
    return Shelf(header=("ID", "NAME", "MODEL", "DESCRIPTION"), exhibits=exhibits, problems=_problems(library, "agent"))


def _skills(config: Config) -> Shelf:
    library = _library(config)
    machine = machine_of_tools()

    def exhibit(spec: SkillSpec) -> Exhibit:
        lacking = missing(spec, machine)
        fields = {
            **definition_fields(spec, config.workspace.root, without=LONG["skill"]),
            "missing": lacking,
            "withheld": library.withheld(spec),
        }
        withheld = library.withheld(spec)
        here = f"needs {', '.join(lacking)}" if lacking else "not what was let in" if withheld else "ready"
        row = (spec.id, here, shorten(spec.description, _WIDE))
        return Exhibit(row=row, fields=fields, texts={"body": spec.body})

    exhibits = {name: exhibit(spec) for name, spec in library.skills.items()}
    return Shelf(header=("ID", "HERE", "DESCRIPTION"), exhibits=exhibits, problems=_problems(library, "skill"))


def _crons(config: Config) -> Shelf:
    library, zone, now = _library(config), zone_named(config.timezone), SystemClock().now()
    jobs = jobs_of(library.crons, zone=zone, default_agent=config.default_agent)
    with reading(config) as opened:
        states = asyncio.run(states_of(opened, jobs))

    def exhibit(spec: CronSpec) -> Exhibit:
        state = states.get(spec.id)
        at = upcoming(jobs[spec.id], state, now)
        when = spec.schedule or spec.at or f"every {spec.every:g}s"
        paused = state.paused if state is not None else None
        due = "paused" if paused else local(at, zone) if at else "-" if spec.enabled else "disabled"
        row = (spec.id, when, due, spec.agent or config.default_agent, shorten(spec.name, _WIDE))
        fields = cron_fields(spec, config.workspace.root, job=jobs[spec.id], state=state, now=now)
        return Exhibit(row=row, fields=fields, texts={"prompt": spec.prompt})

    exhibits = {name: exhibit(spec) for name, spec in library.crons.items()}
    return Shelf(header=("ID", "WHEN", "NEXT", "AGENT", "NAME"), exhibits=exhibits, problems=_problems(library, "cron"))


def _tools(config: Config) -> Shelf:
    def exhibit(tool: Tool) -> Exhibit:
        first = tool.description.strip().partition("\n")[0]
        fields = {"name": tool.name, "effect": tool.effect.value, "description": first}
        texts = {"description": tool.description, "input_schema": json.dumps(dict(tool.input_schema), indent=2)}
        return Exhibit(row=(tool.name, tool.effect.value, shorten(first, _WIDE)), fields=fields, texts=texts)

    exhibits = {tool.name: exhibit(tool) for tool in known_tools(config)}
    return Shelf(header=("NAME", "EFFECT", "DESCRIPTION"), exhibits=exhibits)


def _library(config: Config) -> Library:
    library = library_of(config)
    library.scan()
    return library


def _problems(library: Library, kind: str) -> list[Problem]:
    return [problem for problem in library.problems if problem.kind == kind]


_SHELVES: Mapping[str, Callable[[Config], Shelf]] = {
    "agents": _agents,
    "skills": _skills,
    "crons": _crons,
    "tools": _tools,
}
