"""What could be spent, and who was let in as whom."""

import asyncio
from collections.abc import Iterator, Sequence

from picklebot.cli.audit.risks import Premises, Risk
from picklebot.cli.reading import reading
from picklebot.core.people import Grant
from picklebot.errors import PicklebotError
from picklebot.store.sqlite import SqliteStore

MUCH = 100.0  #: US dollars in a day


def judge_spending(premises: Premises) -> Iterator[Risk]:
    """Find budgets that do not hold anything back."""
    limits = premises.config.limits
    if limits.unpriced == "allow":
        yield Risk(
            severity="warn",
            rule="unpriced-models",
            message="models whose price is not known are asked: no budget holds for them",
            fix="limits: {unpriced: refuse}, and their prices in config.yaml",
        )
    if limits.day_usd > MUCH:
        yield Risk(
            severity="warn",
            rule="day-budget",
            message=f"a day may cost {limits.day_usd:g} USD before anything stops",
            fix=f"limits: {{day_usd: 10}}; /usage lifts it for a day where {limits.day_usd:g} are meant",
        )
    elif limits.turn_usd > limits.day_usd:
        yield Risk(
            severity="info",
            rule="turn-budget",
            message=f"limits.turn_usd ({limits.turn_usd:g}) is more than a whole day may cost, so it holds nothing back",
            fix="limits: {turn_usd: 1}",
        )


def judge_people(premises: Premises) -> Iterator[Risk]:
    """Name who was let in as an owner by a pairing, and may do all that you may."""
    try:
        with reading(premises.config) as opened:
            grants = asyncio.run(_grants(opened)) if opened else ()
    except PicklebotError:
        return  # `doctor` says so
    for grant in grants:
        if grant.role == "owner":
            yield Risk(
                severity="info",
                rule="paired-owner",
                message=f"{grant.channel} {grant.person} was let in as an owner, and may do all that you may",
                fix=f"picklebot pairing revoke {grant.channel} {grant.person}, if that is not you",
            )


async def _grants(opened: SqliteStore) -> Sequence[Grant]:
    return await opened.pairings.grants()
