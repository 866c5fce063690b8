"""`picklebot usage`: tokens and money, by agent, session, day or model."""

import asyncio
from typing import Literal, TypeGuard

from picklebot.cli.calling import USAGE
from picklebot.cli.output import print_json, print_table, remark
from picklebot.cli.reading import reading
from picklebot.cli.shapes import spend_json
from picklebot.config import Config
from picklebot.core.replies import Usage
from picklebot.store.base import Spend

Heading = Literal["agent", "session", "day", "model"]
HEADINGS: tuple[Heading, ...] = ("agent", "session", "day", "model")


def usage(*, config: Config, by: str, as_json: bool) -> int:
    """Print what model calls used, under one heading a line."""
    if not _is_heading(by):
        remark(f"picklebot: --by is one of {', '.join(HEADINGS)}, not {by!r}")
        return USAGE
    with reading(config) as opened:
        found = asyncio.run(opened.ledger.spend(by)) if opened else []
    total = _total(found)
    if as_json:
        print_json({"by": by, "rows": [spend_json(row) for row in found], "total": spend_json(total)})
    elif not found:
        remark("No model was asked yet.")
    else:
        header = (by.upper(), "CALLS", "INPUT", "OUTPUT", "CACHE READ", "CACHE WRITE", "USD")
        print_table(header, [_row(row) for row in [*found, total]])
        if total.unpriced:
            remark(f"{total.unpriced} of the calls went to models whose price is not known; they count as 0.")
    return 0


def _is_heading(by: str) -> TypeGuard[Heading]:
    return by in HEADINGS


def _row(spend: Spend) -> tuple[str, ...]:
    used = spend.usage
    tokens = (used.input_tokens, used.output_tokens, used.cache_read_tokens, used.cache_write_tokens)
    return (spend.key, f"{spend.calls:,}", *(f"{count:,}" for count in tokens), f"{spend.cost_usd:.4f}")


def _total(found: list[Spend]) -> Spend:
    return Spend(
        key="total",
        calls=sum(row.calls for row in found),
        usage=sum((row.usage for row in found), Usage()),
        cost_usd=sum(row.cost_usd for row in found),
        unpriced=sum(row.unpriced for row in found),
    )
