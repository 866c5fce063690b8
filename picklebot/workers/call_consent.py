"""The owner's consent to single tool calls: asked once for each call, bound to exactly what would run.

Promises that a call which needs consent is not begun without it: its turn is parked, on disk, until the owner has
answered or the question has expired, and holds no slot meanwhile. An answer is for one call of one turn: the same words
of another call are another question. Where no owner can be asked, the answer is no. Knows no tool's work.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from picklebot.agent.asking import Parked
from picklebot.agent.policy import Need
from picklebot.core.bus import EventBus
from picklebot.core.events import TurnEvent
from picklebot.core.messages import ToolCall
from picklebot.core.proposals import Asking, Proposal, propose
from picklebot.core.source import Source
from picklebot.core.text import shorten
from picklebot.errors import ToolDenied
from picklebot.store.base import Proposals
from picklebot.tools.base import ToolContext
from picklebot.workers.destinations import LastPlace
from picklebot.workers.proposal_words import in_full

KIND = "call"
LIFETIME = timedelta(days=1)  #: how long a call waits for its answer
_SHOWN = 3_000  # characters of a call in the message that asks; all of it is shown by `picklebot proposals show`
_TITLE = 200


class AwaitingConsent(Parked):
    """The turn waits for the owner's answer to one of its calls."""

    asks = True

    def __init__(self, proposal: Proposal, *, owned: bool) -> None:
        """`owned`: whoever reads the notice is the owner."""
        super().__init__("the owner has not yet said whether a call may be made", until=proposal.expires_at)
        self.proposal = proposal
        self._owned = owned

    @property
    def notice(self) -> str:
        """What the user reads."""
        if not self._owned:
            return "I have to wait until the owner has agreed to something that I would do."
        name = self.proposal.id
        return f"May I? /approve {name} agrees, /deny {name} refuses.\n\n{in_full(self.proposal, limit=_SHOWN)}"


class Sleepers(Protocol):
    """Knows the turns that were put off."""

    async def waits(self, event_id: str) -> bool:
        """Return whether the turn of this event has not ended."""
        ...

    async def wake(self, event_id: str) -> TurnEvent | None:
        """Let a turn that was put off go on now; return its event if it was."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How the owner is reached: which sources are theirs, where they spoke last, and what writes to them there."""

    is_owner: Callable[[Source], bool]
    places: LastPlace
    tell: Callable[[Proposal], Awaitable[None]]


class CallConsent:
    """Asks the owner for a turn."""

    def __init__(
        self, *, proposals: Proposals, sleepers: Sleepers, owner: "Reach", now: Callable[[], datetime], root: Path
    ) -> None:
        self._proposals = proposals
        self._sleepers = sleepers
        self._owner = owner
        self._now = now
        self._root = root

    async def ask(self, need: Need, call: ToolCall, context: ToolContext) -> None:
        """Return if the owner has agreed to this call.

        Raises:
            AwaitingConsent: they have not answered.
            ToolDenied: they refused, did not answer in time, or cannot be asked.
        """
        draft = self._draft(need, call, context)
        owned = self._owner.is_owner(context.source)
        if not owned and await self._owner.places.last() is None:
            raise ToolDenied(f"{need.why}, and the owner, who would have to agree, has not spoken anywhere yet")
        made = await self._proposals.propose(draft)
        if not made.intact or (made.kind, made.body) != (draft.kind, draft.body):
            raise ToolDenied("what would run now is not what the owner was asked about; say again what is to be done")
        match made.state:
            case "approved":
                return
            case "denied":
                raise ToolDenied("the owner refused this call; do not try it in another way")
            case "expired":
                raise ToolDenied("the owner did not answer whether this call may be made, so it was not")
            case "open":
                if self._now() >= made.expires_at:
                    raise ToolDenied("the owner did not answer whether this call may be made, so it was not")
                if not owned:
                    await self._owner.tell(made)
                raise AwaitingConsent(made, owned=owned)

    async def answered(self, parked: Parked) -> TurnEvent | None:
        """Return the turn that may go on at once, because the answer came before the turn was put off."""
        if not isinstance(parked, AwaitingConsent):
            return None
        known = await self._proposals.get(parked.proposal.id)
        return await self._sleepers.wake(known.body["event"]) if known.state != "open" else None

    def _draft(self, need: Need, call: ToolCall, context: ToolContext) -> Proposal:
        body: Mapping[str, Any] = {
            "tool": call.name,
            "input": dict(call.input),
            "agent": context.agent_id,
            "sandbox": context.sandbox,
            "folder": str(self._root),
            "event": context.cause_id,
        }
        asking = Asking(session_id=context.session_id, source=context.source, key=context.key, at=self._now())
        shown = _shown(call.input)
        title = f"{context.agent_id} would use {call.name}: {shorten(shown, _TITLE)}"
        draft = propose(KIND, body, asking, title=title, details=f"{shown}\n\n({need.why})")
        return replace(draft, expires_at=draft.created_at + LIFETIME)


class CallAnswers:
    """What follows from an answer: the turn goes on, and finds it."""

    def __init__(self, *, sleepers: Sleepers, bus: EventBus) -> None:
        self._sleepers = sleepers
        self._bus = bus

    async def apply(self, proposal: Proposal) -> str:
        """Let the turn make the call."""
        if not await self._sleepers.waits(proposal.body["event"]):
            return f"{proposal.body['agent']} does not make the call: its turn has ended."
        await self._wake(proposal)
        return f"{proposal.body['agent']} goes on, and makes the call."

    async def refuse(self, proposal: Proposal) -> None:
        """Let the turn go on without the call."""
        await self._wake(proposal)

    async def _wake(self, proposal: Proposal) -> None:
        if (event := await self._sleepers.wake(proposal.body["event"])) is not None:
            await self._bus.publish(event)


def _shown(given: Mapping[str, Any]) -> str:
    """Return what a call was given: text as it is, the rest as JSON."""
    parts: list[str] = []
    for name, value in given.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
        parts.append(f"{name}: {text}")
    return "\n".join(parts) or "(nothing)"
