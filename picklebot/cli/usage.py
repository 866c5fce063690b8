"""`picklebot usage`: tokens and money, by agent, session, job, day, model or person."""

import asyncio
from collections.abc import Mapping
from typing import TypeGuard

from picklebot.cli.calling import USAGE
from picklebot.cli.output import print_json, print_table, remark
from picklebot.cli.reading import reading
from picklebot.clock import zone_named
from picklebot.config import Config
from picklebot.shapes import spend_json
from picklebot.store.base import Heading, Spend, external_among, total

HEADINGS: tuple[Heading, ...] = ("agent", "session", "cron", "day", "model", "person")
NOBODY: Mapping[Heading, str] = {"cron": "(no job)", "person": "(jobs)"}  #: what is under no key of a heading


def usage(*, config: Config, by: str, as_json: bool) -> int:
    """Print what model calls used, under one heading a line."""
    if not _is_heading(by):
        remark(f"picklebot: --by is one of {', '.join(HEADINGS)}, not {by!r}")
        return USAGE
    with reading(config) as opened:
        found = asyncio.run(opened.ledger.spend(by, zone=zone_named(config.timezone))) if opened else []
        external = external_among(asyncio.run(opened.ledger.spend("model"))) if opened else 0
    whole = total("total", found)
    if as_json:
        print_json({"by": by, "rows": [spend_json(row) for row in found], "total": spend_json(whole)})
    elif not found:
        remark("No model was asked yet.")
    else:
        header = (by.upper(), "CALLS", "INPUT", "OUTPUT", "CACHE READ", "CACHE WRITE", "CACHED", "USD")
        print_table(header, [_row(row, NOBODY.get(by, "")) for row in [*found, whole]])
        if (unpriced := whole.unpriced - external) > 0:
            remark(f"{unpriced:,} calls without a known price count as 0; model.prices names prices.")
        if external:
            remark(f"{external:,} of the calls are messages of external agents: what those spend is not known here.")
    return 0


def _is_heading(by: str) -> TypeGuard[Heading]:
    return by in HEADINGS


def _row(spend: Spend, nobody: str) -> tuple[str, ...]:
    used = spend.usage
    tokens = (used.input_tokens, used.output_tokens, used.cache_read_tokens, used.cache_write_tokens)
    counts = [f"{count:,}" for count in (spend.calls, *tokens)]
    return (spend.key or nobody, *counts, f"{spend.cached_share:.0%}", f"{spend.cost_usd:.4f}")
