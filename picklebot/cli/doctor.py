"""`picklebot doctor`: checks everything that can be wrong, and says what would mend it.

Promises to go on where a part is broken, config.yaml included, to ask nothing of the network, and to change nothing
without `--fix`.
"""

import os
from collections.abc import Iterator, Mapping, Sequence

from picklebot.cli.calling import FAILED, OK
from picklebot.cli.checks.channels import check_channels
from picklebot.cli.checks.database import check_database
from picklebot.cli.checks.definitions import check_definitions, check_names, check_tools
from picklebot.cli.checks.external import check_external
from picklebot.cli.checks.files import check_config, check_modes
from picklebot.cli.checks.findings import Finding, Level
from picklebot.cli.checks.gateway import check_gateway
from picklebot.cli.checks.hooks import check_hooks
from picklebot.cli.checks.jobs import check_jobs
from picklebot.cli.checks.machine import check_clock, check_holder, check_room, check_versions
from picklebot.cli.checks.mcp import check_servers
from picklebot.cli.checks.memory import check_memory
from picklebot.cli.checks.models import check_models
from picklebot.cli.checks.routes import check_routes
from picklebot.cli.checks.sandbox import check_sandbox
from picklebot.cli.checks.skills import check_skills
from picklebot.cli.output import counted, one_line, print_json, say, speaks
from picklebot.cli.toolbox import known_tools
from picklebot.clock import SystemClock
from picklebot.config import Config
from picklebot.definitions.library import Library
from picklebot.errors import ConfigError
from picklebot.workspace import Workspace

_MARKS: Mapping[Level, tuple[str, str]] = {
    "ok": ("✓", "+"),
    "info": ("·", "-"),
    "warning": ("!", "!"),
    "error": ("✗", "x"),
}


def doctor(*, workspace: Workspace, fix: bool, as_json: bool) -> int:
    """Print what was found; return 1 if anything is wrong."""
    found = list(examine(workspace, mend=fix))
    wrong = sum(finding.level == "error" for finding in found)
    if as_json:
        print_json({"ok": not wrong, "findings": [finding.to_json() for finding in found]})
    else:
        _tell(found, wrong)
    return FAILED if wrong else OK


def examine(workspace: Workspace, *, mend: bool) -> Iterator[Finding]:
    """Yield what there is to say of each part, mending modes where it is asked to."""
    now = SystemClock().now()
    yield from check_modes(workspace, mend=mend)
    config, found = check_config(workspace, os.environ)
    yield from found
    library = Library(workspace.root)
    library.scan()
    yield from check_definitions(library, workspace)
    if config is not None:
        yield from check_names(library, config)
        yield from check_routes(library, config)
        yield from check_skills(config)
        yield from check_models(config, library.agents)
        yield from _tools(library, config)
        yield from check_database(config, now=now)
        yield from check_jobs(library, config)
        yield from check_gateway(config)
        yield from check_memory(config)
        yield from check_servers(config)
        yield from check_sandbox(config)
        yield from check_external(library, config)
        yield from check_hooks(config)
        yield from check_channels(config, now=now)
    yield from check_room(workspace)
    yield from check_clock(now)
    yield from check_versions()
    yield from check_holder(workspace)


def _tools(library: Library, config: Config) -> Iterator[Finding]:
    try:
        names = [tool.name for tool in known_tools(config)]
    except ConfigError as exc:
        yield Finding(level="error", check="tools", message=str(exc))
        return
    yield from check_tools(library, names, config.workspace)


def _tell(found: Sequence[Finding], wrong: int) -> None:
    plain = not speaks("".join(mark for mark, _ in _MARKS.values()))
    for finding in found:
        fix = f" ({finding.fix})" if finding.fix else ""
        say(one_line(f"{_MARKS[finding.level][plain]} {finding.check}: {finding.message}{fix}"))
    warnings = sum(finding.level == "warning" for finding in found)
    say()
    verdict = counted(wrong, "error") if wrong else "Nothing is wrong"
    say(verdict + (f", {counted(warnings, 'warning')}." if warnings else "."))
