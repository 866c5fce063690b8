"""What a turn takes over from the turn that called it: never more than that had.

Pure. Knows no turn in hand.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from picklebot.core.events import DispatchEvent, DispatchResultEvent, TurnEvent
from picklebot.core.marks import NO_MARKS, Marks
from picklebot.core.rights import Rights, stricter
from picklebot.definitions.agents import AgentSpec
from picklebot.tools.base import Tool
from picklebot.tools.dispatch import DISPATCH, addressed
from picklebot.workers.dispatch import callees


def rights_of(event: TurnEvent) -> Rights | None:
    """Return the bounds of a turn; None where it was begun for no other one."""
    return event.rights if isinstance(event, DispatchEvent) else None


def within(spec: AgentSpec, rights: Rights | None) -> AgentSpec:
    """Return an agent with a sandbox no weaker than that of the agent that called it."""
    if rights is None or (sandbox := stricter(spec.sandbox, rights.sandbox)) == spec.sandbox:
        return spec
    return spec.model_copy(update={"sandbox": sandbox})


def handed_down(
    tools: Iterable[Tool], rights: Rights | None, spec: AgentSpec, roster: Sequence[AgentSpec]
) -> dict[str, Tool]:
    """Return those of `tools` that the caller has too; the one for calling others names whom this agent may call."""
    found = {tool.name: tool for tool in tools if rights is None or tool.name in rights.tools}
    if (dispatch := found.pop(DISPATCH, None)) and (others := callees(spec, roster)):
        found[DISPATCH] = addressed(dispatch, others)
    return found


def result_of(
    event: DispatchEvent, text: str, *, error: str | None, at: datetime, marks: Marks = NO_MARKS
) -> DispatchResultEvent:
    """Return the end of a task, for the agent that gave it."""
    return DispatchResultEvent(
        session_id=event.session_id,
        source=event.source,
        cause_id=event.id,
        content=text,
        error=error,
        created_at=at,
        marks=marks,
    )
