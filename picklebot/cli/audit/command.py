"""`picklebot audit`: what a workspace leaves open, judged by its files and settings alone.

Promises that nothing is asked of the network, started or changed, and that the exit code is 1 where something critical
is open. What is broken is `picklebot doctor`'s business.
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from picklebot.cli.audit.doors import judge_doors
from picklebot.cli.audit.keys import judge_files, judge_keys
from picklebot.cli.audit.powers import judge_powers
from picklebot.cli.audit.risks import ORDER, Premises, Risk, Severity
from picklebot.cli.audit.spending import judge_people, judge_spending
from picklebot.cli.calling import FAILED, OK
from picklebot.cli.output import counted, one_line, print_json, say
from picklebot.cli.toolbox import known_tools
from picklebot.config import Config, load
from picklebot.errors import ConfigError
from picklebot.sandbox.choosing import choose
from picklebot.wiring.skills import library_of
from picklebot.workspace import Workspace


def audit(*, workspace: Workspace, as_json: bool) -> int:
    """Print what is open, worst first; return 1 if something critical is."""
    found = sorted(examine(workspace), key=lambda risk: ORDER[risk.severity])
    counts: Mapping[Severity, int] = Counter(risk.severity for risk in found)
    if as_json:
        print_json({"ok": not counts["critical"], "findings": [risk.to_json() for risk in found]})
    else:
        _tell(found, counts)
    return FAILED if counts["critical"] else OK


def examine(workspace: Workspace) -> Iterator[Risk]:
    """Yield what is open. Where config.yaml cannot be read, that is all there is to say of it."""
    yield from judge_files(workspace)
    try:
        premises = _premises(load(workspace, os.environ))
    except ConfigError as exc:
        yield Risk(
            severity="critical",
            rule="config",
            message=f"the settings cannot be judged: {str(exc).splitlines()[0]}",
            fix="picklebot doctor says what is wrong with them",
        )
        return
    yield from judge_keys(premises)
    yield from judge_doors(premises)
    yield from judge_powers(premises)
    yield from judge_spending(premises)
    yield from judge_people(premises)


def _premises(config: Config) -> Premises:
    library = library_of(config)
    library.scan()
    settings = config.sandbox
    choice = choose(settings.mode, memory_mb=settings.memory_mb, network=settings.network)
    return Premises(
        config=config,
        library=library,
        tools={tool.name: tool for tool in known_tools(config)},
        sandboxed=choice.launcher is not None,
        root=os.geteuid() == 0,
    )


def _tell(found: Sequence[Risk], counts: Mapping[Severity, int]) -> None:
    for risk in found:
        say(one_line(f"{risk.severity:<8} {risk.rule}: {risk.message} ({risk.fix})"))
    if found:
        say()
    say(
        ", ".join(counted(counts[each], _WORDS[each]) for each in ORDER if counts[each]) + "."
        if found
        else "Nothing is open."
    )


_WORDS: Mapping[Severity, str] = {"critical": "critical finding", "warn": "warning", "info": "remark"}
