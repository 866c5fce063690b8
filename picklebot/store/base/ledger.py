"""Counts and sums over everything that was accepted: values and the seam. Knows no SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Literal, Protocol, TypeAlias

from picklebot.core.replies import EXTERNAL, Usage

Heading: TypeAlias = Literal["agent", "session", "cron", "day", "model", "person"]
"""What spend is summed by. `cron` is every job by its source, and "" for what no job asked for; `person` the reverse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The ledger: accepted = done + failed + dead + open, at every moment. Buried replies are `dead_replies`.

    Tasks that agents give one another are counted like messages.
    """

    accepted: int
    done: int
    failed: int
    dead: int
    open: int
    running: int
    undelivered: int
    dead_replies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """Tokens and money under one heading. `unpriced` counts calls whose model has no known price."""

    key: str
    calls: int
    usage: Usage
    cost_usd: float
    unpriced: int

    @property
    def cached_share(self) -> float:
        """Which part of what models read came from their cache, from 0 to 1."""
        return self.usage.cache_read_tokens / max(self.usage.context_tokens, 1)


def external_among(by_model: Sequence[Spend]) -> int:
    """Return how many of these calls were messages of external agents."""
    return sum(spend.calls for spend in by_model if spend.key == EXTERNAL)


def total(key: str, spends: Sequence[Spend]) -> Spend:
    """Return the sum of `spends` under one heading."""
    return Spend(
        key=key,
        calls=sum(spend.calls for spend in spends),
        usage=sum((spend.usage for spend in spends), Usage()),
        cost_usd=sum(spend.cost_usd for spend in spends),
        unpriced=sum(spend.unpriced for spend in spends),
    )


class Ledger(Protocol):
    """Counts and sums, for status, doctor and budgets."""

    async def counts(self) -> Counts:
        """Count everything that was ever accepted, by where it is now."""
        ...

    async def spend(self, by: Heading, *, since: datetime | None = None, zone: tzinfo = UTC) -> list[Spend]:
        """Sum what model calls used; a `day` is one of `zone`."""
        ...

    async def of_turn(self, event_id: str) -> Spend:
        """Sum what the turn of one message or task used so far."""
        ...
