"""What a check of the campaign may spend, and the row that it makes of it. Knows no check."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much of everything to try: each is an option of `python -m tests.campaign`."""

    kills: int = 10_000
    stops: int = 200
    images: int = 100_000
    seeds: int = 10_000
    zones: int = 200
    requests: int = 10_000
    race: int = 60
    burst: int = 10_000
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the table: what was checked, how much of it was done, what was found, and whether that is well."""

    check: str
    done: str
    found: str
    seconds: float
    well: bool


Check: TypeAlias = Callable[[Budget], Coroutine[Any, Any, Row]]


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a markdown table."""
    lines = ["| check | done | found | time | |", "|---|---|---|---:|---|"]
    lines += [
        f"| {r.check} | {r.done} | {r.found} | {_time(r.seconds)} | {'ok' if r.well else 'FAILED'} |" for r in rows
    ]
    return "\n".join(lines)


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
