"""Units of work: functions of a plain connection, each a fact that is on disk as a whole or not at all.

Knows no transaction and no table.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Generic, TypeAlias, TypeVar, cast

T = TypeVar("T")
Item = TypeVar("Item")
Unit: TypeAlias = Callable[[sqlite3.Connection], T]
Many: TypeAlias = Callable[[sqlite3.Connection, Sequence[Item]], Sequence[T]]
"""Does for each item, in order, what a unit does for one; raises where one of them fails, whatever came of the rest."""

MOST = 128  #: units that run in one go: that takes a millisecond or two, and others want the loop


@dataclass(frozen=True, slots=True)
class OneOfMany(Generic[Item, T]):
    """A unit of a kind that costs less where many stand in a row: `many` runs them together."""

    item: Item
    many: Many[Item, T]

    def __call__(self, connection: sqlite3.Connection) -> T:
        """Run it alone."""
        return self.many(connection, (self.item,))[0]


def rows(units: Sequence[Unit[Any]]) -> Iterator[Sequence[Unit[Any]]]:
    """Yield what runs in one go, in order: units of one kind that stand in a row, and every other one by itself."""
    for many, same in groupby(units, key=_kind):
        row, most = list(same), MOST if many else 1
        for start in range(0, len(row), most):
            yield row[start : start + most]


def run(connection: sqlite3.Connection, row: Sequence[Unit[Any]]) -> Sequence[Any]:
    """Run units that `rows` put together; return their results."""
    if len(row) == 1:
        return [row[0](connection)]
    alike = cast("Sequence[OneOfMany[Any, Any]]", row)  # no other stands in a row
    return alike[0].many(connection, [unit.item for unit in alike])


def _kind(unit: Unit[Any]) -> Many[Any, Any] | None:
    return unit.many if isinstance(unit, OneOfMany) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]  # many of what is not known here
