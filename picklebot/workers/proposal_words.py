"""How a proposal is told to the owner: whole where it fits, and said where it does not.

Promises that what an eye cannot see is written out, and that a proposal cannot end the frame it stands in. Pure.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from picklebot.core.proposals import Proposal, visible
from picklebot.core.text import shorten
from picklebot.workers.loops import KEY

SHOWN = 6_000  #: characters of one proposal's details in a chat
ROOM = 20_000  #: of all of them
_FENCES = re.compile(r"`{3,}|~{3,}")


def brief(proposal: Proposal) -> str:
    """Return the proposal on one line."""
    return f"**{proposal.id}**: {visible(shorten(proposal.title, 400))}"


def in_full(proposal: Proposal, *, limit: int = SHOWN) -> str:
    """Return all that the owner is asked to allow, or as much as fits and where the rest is."""
    details = visible(proposal.details or json.dumps(dict(proposal.body), ensure_ascii=False, indent=2))
    cut = ""
    if len(details) > limit:
        rest = len(details) - limit
        cut = f"\n**{rest:,} characters more.** `picklebot proposals show {proposal.id}` shows all of it."
        details = details[:limit]
    fence = "`" * max([3, *(len(found) + 1 for found in _FENCES.findall(details))])
    return f"{brief(proposal)}\n{fence}\n{details}\n{fence}{cut}"


def listing(
    open_: Sequence[Proposal],
    unfinished: Sequence[Proposal],
    now: datetime,
    *,
    budgets: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return what waits for an answer, each with all that it would do, and what an answer looks like."""
    if not (open_ or unfinished or budgets):
        return "Nothing waits for an answer."
    room = max(ROOM // max(len(open_), 1), 500)
    parts = [f"{in_full(proposal, limit=min(SHOWN, room))}\n{_origin(proposal, now)}" for proposal in open_]
    for proposal in unfinished:
        why = f": {visible(proposal.outcome)}" if proposal.outcome else ", and picklebot stopped before it was done"
        parts.append(f"{brief(proposal)}\nYou agreed to this{why}. /approve {proposal.id} does it again.")
    parts += [_lifting(budget, what) for budget, what in budgets.items()]
    if len(open_) == 1:
        parts.append(f"/approve {open_[0].id} agrees, /deny {open_[0].id} refuses.")
    elif open_:
        parts.append("/approve ID agrees to one of them, /deny ID refuses it.")
    return "\n\n".join(parts)


def _lifting(budget: str, what: str) -> str:
    """Return what it would do to lift something that `what` waits for."""
    if budget.startswith(KEY):
        return f"/approve {budget} lets me answer there again, where two programs seemed to talk: {what} wait for it."
    return f"/approve {budget} lets that budget hold once more today: {what} wait for it."


def decided(proposal: Proposal, now: datetime) -> str:
    """Return what was decided before."""
    when = f" on {_local(proposal.settled_at, now)}" if proposal.settled_at else ""
    match proposal.state:
        case "approved":
            done = f" {visible(proposal.outcome)}" if proposal.concluded else " Whether it took effect is not known."
            return f"{brief(proposal)} was approved{when}.{done}"
        case "denied":
            return f"{brief(proposal)} was refused{when}."
        case "expired":
            reason = f" ({proposal.outcome})" if proposal.outcome else ""
            return f"{brief(proposal)} is no longer open{reason}. Ask the agent to propose it again."
        case "open":
            return f"{brief(proposal)} waits for an answer."


def _origin(proposal: Proposal, now: datetime) -> str:
    until = _local(proposal.expires_at, now)
    altered = "" if proposal.intact else " **It was altered since, and cannot be approved.**"
    return (
        f"Proposed in {visible(str(proposal.source))}, {_local(proposal.created_at, now)}; open until {until}.{altered}"
    )


def _local(moment: datetime, now: datetime) -> str:
    return f"{moment.astimezone(now.tzinfo):%Y-%m-%d %H:%M}"
