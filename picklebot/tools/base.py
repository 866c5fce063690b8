"""The tool seam: a name, a schema, an effect class, and a function to run.

Promises nothing about what a tool does; says what may be done with it after a crash. Knows no sandbox and no model.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

from picklebot.core.marks import NO_MARKS, Mark, Marks
from picklebot.core.messages import Block
from picklebot.core.rights import Sandbox
from picklebot.core.source import Source


class Effect(Enum):
    """What a resumed turn may do with a call that was started and left no result (contracts.md, P4)."""

    PURE = "pure"  #: changes nothing: run it again
    KEYED = "keyed"  #: the world knows the call's key: run it again with the same one
    RECONCILE = "reconcile"  #: can be checked against the world: ask `check`, then run it or not
    ONCE = "once"  #: never again: the model is told that the outcome is unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """Who calls, and under what identity. `key` is the same for every attempt of one call."""

    session_id: str
    agent_id: str
    source: Source
    key: str
    cause_id: str
    deliver: str | None = None
    """Where the turn's reply goes, as in `InboundEvent`: None back to `source`."""
    step: int = 0
    """Which step of the turn this is, counted from 0."""
    sandbox: Sandbox = "workspace"
    """Where the agent's programs run."""
    marks: Marks = NO_MARKS
    """What the turn had read when its model made this call."""
    noted: set[Mark] = field(default_factory=set[Mark])
    """Where a tool adds what only it knows of this one output: `context.noted.add("outside")`. It is kept with the
    result, so that a resumed turn, and a turn that called this one, bears the mark too."""


Output: TypeAlias = "str | Sequence[Block]"
Run: TypeAlias = Callable[[ToolContext, Mapping[str, Any]], Awaitable[Output]]
Check: TypeAlias = Callable[[ToolContext, Mapping[str, Any]], Awaitable["Output | None"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """Something a model may do. `run` raises `ToolError` with words for the model.

    `channels`, where it is given, are those of the sources whose turns are offered the tool.
    `check` belongs to `Effect.RECONCILE`: it returns the result if the effect is there, None if it is not.
    """

    name: str
    description: str
    input_schema: Mapping[str, Any]
    run: Run
    effect: Effect = Effect.ONCE
    check: Check | None = None
    channels: frozenset[str] | None = None
    patient: bool = False
    """It waits for others, so that only the time of its turn ends it, and not that of a call."""
    private: bool = False
    """What it returns is the owner's: files, notes, the output of a command."""
    outside: bool = False
    """What it returns was written by somebody else, who may mean to steer whoever reads it."""
    unread: bool = False
    """How it is described was written by somebody else, and its owner has not read it: whoever is shown that has read
    something from outside."""
    sends: bool = False
    """What it is given leaves this machine. A turn that has read private things and things from outside needs the
    owner's word for such a call."""

    @property
    def marks(self) -> Marks:
        """What a turn has read once it has read any output of this tool."""
        given: tuple[tuple[Mark, bool], ...] = (("private", self.private), ("outside", self.outside))
        return frozenset(mark for mark, holds in given if holds)
