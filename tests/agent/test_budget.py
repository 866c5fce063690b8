"""The day's ceiling holds with any number of calls in flight."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picklebot.agent.budget import DayBudget
from picklebot.errors import LimitReached

DAY = date(2030, 1, 1)
CALLS = st.lists(st.tuples(st.floats(0.001, 2), st.floats(0, 1)), max_size=50)


@given(calls=CALLS)
def test_what_is_spent_never_passes_the_ceiling(calls: list[tuple[float, float]]) -> None:
    budget, flying = DayBudget(3.0, today=lambda: DAY), list[tuple[float, float]]()
    for worst, share in calls:
        try:
            budget.reserve(worst)
        except LimitReached:
            if flying:
                reserved, part = flying.pop(0)
                budget.settle(reserved, reserved * part)
            continue
        flying.append((worst, share))
    for worst, share in flying:
        budget.settle(worst, worst * share)
    assert budget.spent <= 3.0 + 1e-9


def test_a_failed_call_gives_its_reservation_back() -> None:
    budget = DayBudget(1.0, today=lambda: DAY)
    budget.reserve(1.0)
    budget.settle(1.0, 0.0)
    budget.reserve(1.0)


def test_midnight_starts_a_new_day() -> None:
    days = [DAY]
    budget = DayBudget(1.0, today=lambda: days[0], spent=1.0)
    with pytest.raises(LimitReached, match="midnight"):
        budget.reserve(0.5)
    days[0] = date(2030, 1, 2)
    budget.reserve(0.5)
    assert budget.spent == 0.0
