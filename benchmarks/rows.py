"""What a benchmark hands back: figures, each beside something real, and the bar that it must meet.

Promises that a ratio is always ours over theirs, in one unit. Knows no benchmark.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How long to measure and where: the folder decides which disk is measured."""

    folder: Path
    quick: bool = False

    def of(self, full: int, quick: int) -> int:
        """Return a size: `full`, or `quick` where a short run will do."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What a figure must reach: a share of its neighbour, or a bound of its own."""

    ratio: float | None = None
    """At least this share of its neighbour."""
    times: float | None = None
    """At most so many times its neighbour."""
    most: float | None = None
    within: float | None = None
    """At most this much above its neighbour."""

    def met(self, figure: float, other: float | None) -> bool:
        """Say whether `figure` meets it."""
        if self.ratio is not None and (other is None or figure < self.ratio * other):
            return False
        if self.within is not None and (other is None or figure - other > self.within):
            return False
        if self.times is not None and (other is None or figure > self.times * other):
            return False
        return self.most is None or figure <= self.most

    def words(self) -> str:
        """Return it for a table."""
        parts = [
            f">= {self.ratio:g} x" if self.ratio is not None else "",
            f"<= {self.times:g} x" if self.times is not None else "",
            f"<= +{self.within:g}" if self.within is not None else "",
            f"<= {self.most:g}" if self.most is not None else "",
        ]
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure. `beside` names what `other` is the figure of."""

    bench: str
    case: str
    what: str
    figure: float
    unit: str
    beside: str = ""
    other: float | None = None
    bar: Bar | None = None

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None where there is none."""
        return None if self.bar is None else self.bar.met(self.figure, self.other)

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        words = self.bar.words() if self.bar else None
        return {**asdict(self), "bar": words, "ratio": ratio(self), "met": self.met}


def ratio(row: Row) -> float | None:
    """Return ours over theirs."""
    return row.figure / row.other if row.other else None
