"""Questions to the owner, from their asking to what came of them: values and the seam. Knows no SQL."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from picklebot.core.proposals import Proposal, Verdict
from picklebot.core.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """A proposal as it stands after an answer. `fresh`: this answer decided it, and no earlier one."""

    proposal: Proposal
    fresh: bool


class Proposals(Protocol):
    """Keeps what was proposed, and what was decided."""

    async def propose(self, proposal: Proposal) -> Proposal:
        """Keep a proposal; return the one that stands: the first of its key, or an open one that says the same.

        An older open one of the same session, kind and `about` is withdrawn: the newer takes its place.

        Raises:
            ToolError: it is too large, or too many are open.
        """
        ...

    async def open(self, now: datetime) -> list[Proposal]:
        """Return what waits for an answer, oldest first."""
        ...

    async def unfinished(self, now: datetime) -> list[Proposal]:
        """Return what was approved and is not known to have taken effect, oldest first."""
        ...

    async def get(self, proposal_id: str) -> Proposal:
        """Return a proposal, whatever became of it.

        Raises:
            NotFound: there is none of that id.
        """
        ...

    async def settle(self, proposal_id: str, verdict: Verdict, *, by: Source, at: datetime) -> Settlement:
        """Decide on a proposal, once; a second answer is told what was decided.

        Raises:
            NotFound: there is none of that id, or it is not what was proposed any more.
        """
        ...

    async def conclude(self, proposal_id: str, outcome: str, *, over: bool = True) -> None:
        """Say what came of an approved proposal; `over` False: it may still be carried out."""
        ...
