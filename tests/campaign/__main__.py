"""Runs the long checks, one after the other, and prints a row for each. Exit 1 if one is not well.

    python -m tests.campaign                          everything: an hour
    python -m tests.campaign --only crash --kills 500

A further check is a function from a `Budget` to a `Row`, and a line in `CHECKS`; what it may spend is a field of `Budget`.
"""

import argparse
import asyncio
import sys
from collections.abc import Mapping
from dataclasses import fields

from tests.campaign import channels, crash, power, race, requests, schedules, simulation
from tests.campaign.table import Budget, Check, Row, table

CHECKS: Mapping[str, Check] = {
    "crash": crash.kills,
    "stop": crash.stops,
    "plants": crash.plants,
    "power": lambda budget: power.cuts(budget.images),
    "power-plants": lambda budget: power.plants(),
    "simulation": lambda budget: simulation.seeds(budget.seeds),
    "simulation-plants": lambda budget: simulation.plants(),
    "requests": lambda budget: requests.odd(budget.requests, budget.seed),
    "race": lambda budget: race.links(budget.race),
    "channels": lambda budget: channels.bursts(budget.burst),
    "schedules": lambda budget: schedules.oracle(budget.zones),
}


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description="The long checks.")
    parser.add_argument("--only", action="append", choices=list(CHECKS), help="this check; may be given again")
    for each in fields(Budget):
        parser.add_argument(f"--{each.name}", type=int, default=each.default)
    options = parser.parse_args()
    budget = Budget(**{each.name: getattr(options, each.name) for each in fields(Budget)})
    rows: list[Row] = []
    for name in options.only or CHECKS:
        print(f"{name} ...", file=sys.stderr)
        rows.append(asyncio.run(CHECKS[name](budget)))
    print(table(rows))
    return 0 if all(row.well for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
