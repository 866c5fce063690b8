"""/approve and /deny: the owner's answer to what agents proposed, and what follows from it.

Promises that only an owner's place can answer, that an answer counts once and for exactly what was proposed, and that
nothing is done twice: the answer is on disk before its effect, and an effect that a crash cut short is done again by
the same words. Knows no kind of proposal: who applies one is given.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Protocol, TypeAlias

from picklebot.core.proposals import Proposal, Verdict, typed_id, visible
from picklebot.core.source import Source
from picklebot.errors import ConfigError, NotFound, PicklebotError, Transient
from picklebot.store.base import Proposals
from picklebot.workers.commands import Command
from picklebot.workers.proposal_words import brief, decided, in_full, listing

logger = logging.getLogger(__name__)

#: Has the effect of an approved proposal and says so in words; applied again, it has no second effect. It raises
#: `Transient` for what may be tried again, and any other `PicklebotError` for what can never be done any more.
Apply: TypeAlias = Callable[[Proposal], Awaitable[str]]

#: Follows from a refusal. Done again, it changes nothing.
Refuse: TypeAlias = Callable[[Proposal], Awaitable[None]]

NOT_OWNER = "Only the owner decides on that, in the terminal: `picklebot chat`, then /approve."
_REMEMBERED = 100  # places that were shown something


class Budgets(Protocol):
    """Knows which budgets turns wait for. They need no proposal: what a lift does is the same each time."""

    async def waiting(self) -> Mapping[str, str]:
        """Return them, with what waits, in words."""
        ...

    async def lift(self, budget: str, *, by: Source) -> str:
        """Let one hold once more today, and say what that did."""
        ...


class Approvals:
    """Answers /approve and /deny. `appliers` go by the kind of the proposal."""

    def __init__(
        self,
        *,
        proposals: Proposals,
        appliers: Mapping[str, Apply],
        budgets: Budgets,
        is_owner: Callable[[Source], bool],
        now: Callable[[], datetime],
        refusers: Mapping[str, Refuse] | None = None,
    ) -> None:
        """`now` returns the moment in the user's own time zone."""
        self._refusers = refusers or {}
        self._proposals = proposals
        self._appliers = appliers
        self._budgets = budgets
        self._is_owner = is_owner
        self._now = now
        self._deciding = asyncio.Lock()  # two answers to one proposal must not both see it undone
        self._shown: dict[Source, str] = {}

    def table(self) -> Mapping[str, Command]:
        """Return the commands by name."""
        commands = [
            Command("approve", "[ID|BUDGET]", "What waits for the owner, or agree to it.", self._approve),
            Command("deny", "[ID]", "Refuse what an agent proposes.", self._deny),
        ]
        return {command.name: command for command in commands}

    async def _approve(self, source: Source, argument: str) -> str:
        if not self._is_owner(source):
            return NOT_OWNER
        async with self._deciding:
            budgets = await self._budgets.waiting()
            if argument in budgets:
                return await self._budgets.lift(argument, by=source)
            if argument:
                return await self._agree(typed_id(argument), source)
            open_ = await self._proposals.open(self._now())
            unfinished = await self._proposals.unfinished(self._now())
            if len(budgets) == 1 and not (open_ or unfinished):
                return await self._budgets.lift(next(iter(budgets)), by=source)
            if len(open_) == 1 and not (budgets or unfinished):
                if self._known_here(source, open_[0]):
                    return await self._agree(open_[0].id, source)
                self._remember(source, open_[0].id)
            return listing(open_, unfinished, self._now(), budgets=budgets)

    async def _deny(self, source: Source, argument: str) -> str:
        if not self._is_owner(source):
            return NOT_OWNER
        async with self._deciding:
            open_ = [] if argument else await self._proposals.open(self._now())
            if not argument and len(open_) != 1:
                return listing(open_, [], self._now())
            settled = await self._settle(typed_id(argument) if argument else open_[0].id, "denied", source)
            proposal, fresh = settled
            if proposal.state == "denied" and (refuse := self._refusers.get(proposal.kind)) is not None:
                await refuse(proposal)
            return f"Refused: {brief(proposal)}" if fresh else decided(proposal, self._now())

    async def _agree(self, proposal_id: str, source: Source) -> str:
        known = await self._proposals.get(proposal_id)
        apply = self._appliers.get(known.kind)
        if apply is None:
            raise ConfigError(f"{known.id} is of the kind {known.kind!r}, which this picklebot cannot carry out")
        proposal, _ = await self._settle(proposal_id, "approved", source)
        if proposal.state != "approved" or proposal.concluded:
            return decided(proposal, self._now())
        return await self._apply(apply, proposal)

    async def _apply(self, apply: Apply, proposal: Proposal) -> str:
        try:
            outcome = visible(await apply(proposal))
        except Transient as exc:
            await self._proposals.conclude(proposal.id, str(exc), over=False)
            return f"Not now: {exc}. /approve {proposal.id} tries {brief(proposal)} again."
        except PicklebotError as exc:
            await self._proposals.conclude(proposal.id, f"It did not take effect: {exc}")
            return f"{brief(proposal)} did not take effect: {exc}"
        await self._proposals.conclude(proposal.id, outcome)
        logger.info("proposal %s took effect: %s", proposal.id, outcome)
        return f"{outcome}\n\nYou agreed to {in_full(proposal)}"

    async def _settle(self, proposal_id: str, verdict: Verdict, by: Source) -> tuple[Proposal, bool]:
        if not proposal_id:
            raise NotFound("name the proposal by its id; /approve without one shows what is open")
        settlement = await self._proposals.settle(proposal_id, verdict, by=by, at=self._now())
        if settlement.fresh:
            logger.info("proposal %s was %s by %s", proposal_id, verdict, by)
        return settlement.proposal, settlement.fresh

    def _known_here(self, source: Source, proposal: Proposal) -> bool:
        """Whether this place has read what the one open proposal is: it was made here, or shown here."""
        return proposal.source == source or self._shown.get(source) == proposal.id

    def _remember(self, source: Source, proposal_id: str) -> None:
        self._shown.pop(source, None)
        self._shown[source] = proposal_id
        while len(self._shown) > _REMEMBERED:
            del self._shown[next(iter(self._shown))]
