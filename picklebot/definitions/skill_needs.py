"""What a skill needs of the machine that it runs on, as OpenClaw's metadata says it.

Promises words for everything that is missing, and to take odd metadata for none. Looks at the machine only through
what it is given.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from picklebot.definitions.skills import SkillSpec
from picklebot.definitions.values import mapping, words

_OWNERS = ("openclaw", "clawdbot")  # the second is its old name
_SYSTEMS = {"darwin": "macos", "win32": "windows"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a skill's commands would find. `find` returns where a program is, or None."""

    find: Callable[[str], str | None]
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    system: str = sys.platform


def missing(spec: SkillSpec, machine: Machine) -> list[str]:
    """Return what keeps a skill from running on `machine`, each in a few words; nothing: it can run."""
    needs = _needs(spec.metadata)
    requires = mapping(needs.get("requires")) or {}
    found = [f"the program {name}" for name in _words(requires.get("bins")) if machine.find(name) is None]
    choice = _words(requires.get("any_bins") or requires.get("anyBins"))
    if choice and not any(machine.find(name) for name in choice):
        found.append(f"one of the programs {', '.join(choice)}")
    found += [f"the variable {name}" for name in _words(requires.get("env")) if not machine.environment.get(name)]
    systems = _words(needs.get("os"))
    if systems and not {machine.system, _SYSTEMS.get(machine.system, machine.system)} & set(systems):
        found.append(f"another system ({', '.join(systems)})")
    return found


def _needs(metadata: object) -> Mapping[str, Any]:
    held = _loaded(metadata)
    for owner in _OWNERS:
        if (needs := _loaded(held.get(owner))) != {}:
            return needs
    return {}


def _loaded(value: object) -> Mapping[str, Any]:
    """Return a mapping, which some files hold as a line of JSON."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return mapping(value) or {}


def _words(value: object) -> Sequence[str]:
    try:
        return words(value or ())
    except ValueError:
        return ()
