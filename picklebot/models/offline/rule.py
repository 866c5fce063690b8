"""What a rule is: a pattern of what a person may say, and what to do about it.

Promises that patterns match whole texts, whatever their case. Knows no particular rule.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from picklebot.models.base import ToolSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a rule may look at beside the text itself. `now` is local, and None where nobody said the time."""

    tools: Mapping[str, ToolSchema] = field(default_factory=dict[str, ToolSchema])
    heard: Sequence[str] = ()
    said: Sequence[str] = ()
    now: datetime | None = None
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Say:
    """Answer with `text`."""

    text: str


@dataclass(frozen=True, slots=True)
class Use:
    """Call `tool`, and answer with what comes of it."""

    tool: str
    input: Mapping[str, Any]


Action: TypeAlias = Say | Use
Build: TypeAlias = Callable[[re.Match[str], Scene], Action | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table. `build` returns None where the pattern matched and the rule is still not meant.

    `example` is shown by "help", where `tool` is there or none is needed. An `exact` rule gets the text with its
    own spaces and last punctuation; for the others there is one space between words.
    """

    pattern: re.Pattern[str]
    build: Build
    example: str
    tool: str
    exact: bool


def rule(pattern: str, build: Build, example: str = "", *, tool: str = "", exact: bool = False) -> Rule:
    r"""Return a rule; `pattern` must match the whole text.

    Exact texts may hold long runs of spaces, and behind an open-ended group `\s+` would try each of them in turn.
    """
    return Rule(re.compile(pattern, re.IGNORECASE | re.DOTALL), build, example, tool, exact)


def say(text: str) -> Build:
    """Return a `build` that always says `text`."""
    return lambda match, scene: Say(text)


def first_of(scene: Scene, *uses: Use) -> Use:
    """Return the first whose tool is there, or the very first."""
    return next((use for use in uses if use.tool in scene.tools), uses[0])
