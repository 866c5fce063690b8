"""Which days an expression names, and which expressions name none."""

from datetime import date
from itertools import takewhile

import pytest

from picklebot.definitions.patterns import pattern


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("0 9 13 * 5", [3, 10, 13, 17, 24]),  # both restricted: either
        ("0 9 15 * 1#1", [6, 15]),
        ("0 9 15W * 5", [3, 10, 15, 17, 24]),
        ("0 9 */2 * 5", [3, 17]),  # a field with a star in front restricts nothing of the other: both
        ("0 9 1-31 * */7", [5, 12, 19, 26]),
        ("0 9 13 * *", [13]),
        ("0 9 ? * 5", [3, 10, 17, 24]),
        ("0 9 25W * *", [24]),
        ("0 9 L * *", [30]),
        ("0 9 * * L5", [24]),
        ("0 9 * * 4#5,L5", [24, 30]),
    ],
)
def test_days_match_as_classic_cron_has_it(expression: str, days: list[int]) -> None:
    april = takewhile(lambda day: day < date(2026, 5, 1), pattern(expression).days(date(2026, 4, 1)))
    assert [day.day for day in april] == days


@pytest.mark.parametrize(
    "expression", ["0 0 30 2 *", "0 0 */31 * 1#5", "0 0 * * 1,2#2", "0 0 1 1", "0 0 0 1 1 *", "0 0 32 * *", "x"]
)
def test_what_is_no_pattern_or_never_comes_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="schedule"):
        pattern(expression)
