"""The agents, jobs and skills: that they can be read, and that what they name is there."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from picklebot.cli.checks.findings import Finding
from picklebot.config import Config
from picklebot.definitions.agents import AgentSpec
from picklebot.definitions.library import Library
from picklebot.definitions.values import nearest
from picklebot.errors import NotFound
from picklebot.workspace import Workspace


def check_definitions(library: Library, workspace: Workspace) -> Iterator[Finding]:
    """Find the files that cannot be read as meant."""
    for problem in library.problems:
        place = _place(problem.path, workspace)
        line = f":{problem.line}" if problem.line else ""
        rest = " (its last good version is in force)" if problem.in_force else ""
        yield Finding(level="error", check="definitions", message=f"{place}{line}: {problem.message}{rest}")
    for note in library.notes:
        yield Finding(level="warning", check="definitions", message=f"{_place(note.path, workspace)}: {note.message}")
    if not library.problems:
        agents, crons, skills = len(library.agents), len(library.crons), len(library.skills)
        yield Finding(level="ok", check="definitions", message=f"{agents} agents, {crons} jobs, {skills} skills")


def check_names(library: Library, config: Config) -> Iterator[Finding]:
    """Find the agents that are named and are not there."""
    named = [("default_agent", config.default_agent)]
    named += [(f"routing.bindings.{n}.agent", b.agent) for n, b in enumerate(config.routing.bindings)]
    named += [(f"gateway.hooks.{name}.agent", hook.agent) for name, hook in config.gateway.hooks.items() if hook.agent]
    if config.heartbeat.agent:
        named.append(("heartbeat.agent", config.heartbeat.agent))
    for job in library.crons.values():
        if job.agent:
            named.append((f"{_place(job.path, config.workspace)}: agent", job.agent))
    for spec in library.agents.values():
        named += [(f"{_place(spec.path, config.workspace)}: dispatch", agent_id) for agent_id in spec.dispatch or ()]
    missing = [finding for where, agent_id in named if (finding := _missing(library, where, agent_id))]
    yield from missing
    if not missing:
        message = f"every agent that is named is there, {config.default_agent!r} first"
        yield Finding(level="ok", check="agents", message=message)


def check_tools(library: Library, tools: Sequence[str], workspace: Workspace) -> Iterator[Finding]:
    """Find the tools that agents name and that are not there. Those of other servers are known only to the daemon."""
    unknown = [
        Finding(level="warning", check="tools", message=f"{_place(spec.path, workspace)}: {complaint}")
        for spec in library.agents.values()
        for complaint in _complaints(spec, tools)
    ]
    yield from unknown
    if not unknown:
        yield Finding(level="ok", check="tools", message=f"{len(tools)} tools, and every one that agents name is there")


def _complaints(spec: AgentSpec, tools: Sequence[str]) -> Iterator[str]:
    effects = ((spec.tools or (), "the agent goes without it"), (spec.disallowed_tools, "nothing is taken away"))
    for names, effect in effects:
        for name in names:
            if name not in tools and not name.startswith("mcp__"):
                near = nearest(name, tools)
                yield f"there is no tool {name!r}, so {effect}" + (f"; did you mean {near!r}?" if near else "")


def _missing(library: Library, where: str, agent_id: str) -> Finding | None:
    try:
        library.get_agent(agent_id)
    except NotFound as exc:
        return Finding(level="error", check="agents", message=f"{where}: {exc}")
    return None


def _place(path: Path, workspace: Workspace) -> str:
    return str(path.relative_to(workspace.root)) if path.is_relative_to(workspace.root) else str(path)
