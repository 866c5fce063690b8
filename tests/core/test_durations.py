"""Durations as people write them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picklebot.core.durations import parse_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (90, 90.0),
        (0, 0.0),
        (1.5, 1.5),
        ("90", 90.0),
        ("30s", 30.0),
        ("250ms", 0.25),
        ("1h30m", 5400.0),
        ("1h 30m", 5400.0),
        ("2d", 172_800.0),
        ("1w", 604_800.0),
        (" 1.5 H ", 5400.0),
    ],
)
def test_a_duration_is_read_as_meant(written: str | float, seconds: float) -> None:
    assert parse_duration(written) == seconds


@pytest.mark.parametrize(
    "written",
    ["", "s", "-1", "-1s", "1y", "1h30", "1 hour", "30s!", "٣s", True, -1, math.nan, math.inf, 10**400, "9" * 65],
)
def test_what_is_no_duration_is_refused_with_an_example(written: str | float) -> None:
    with pytest.raises(ValueError, match="such as '30s' or '1h30m'"):
        parse_duration(written)


@given(st.text(alphabet="0123456789.smhdw -", max_size=70) | st.floats() | st.integers())
def test_whatever_is_read_is_finite_and_not_negative(written: str | float) -> None:
    try:
        seconds = parse_duration(written)
    except ValueError:
        return
    assert 0 <= seconds < math.inf
