"""Long replies in parts."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picklebot.channels.split import split

WORDS = st.text(st.sampled_from("ab \n`~é👍🏽\u200d"), max_size=600)


@given(WORDS, st.integers(64, 200))
def test_no_part_is_too_long_and_none_is_empty(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert all(len(part) <= limit for part in parts)
    assert len(parts) == 1 or all(part.strip() for part in parts)


@given(st.text(st.sampled_from("abc \n.é"), max_size=900), st.integers(64, 200))
def test_nothing_but_white_space_is_lost(text: str, limit: int) -> None:
    assert re.sub(r"\s", "", "".join(split(text, limit))) == re.sub(r"\s", "", text)


@pytest.mark.parametrize("limit", [None, 100])
def test_what_fits_stays_whole(limit: int | None) -> None:
    assert split("  as it\n\nis  ", limit) == ["  as it\n\nis  "]


def test_a_cut_falls_between_paragraphs_where_it_can() -> None:
    first, second = "one " * 12, "two " * 12
    assert split(f"{first}\n\n{second}", 70) == [first.rstrip(), second.strip() + " "]


def test_a_code_block_is_closed_and_opened_again() -> None:
    code = "\n".join(f"line {n}" for n in range(40))
    parts = split(f"Look:\n\n```python\n{code}\n```\n\nDone.", 120)
    assert len(parts) > 3
    for part in parts:
        assert part.count("```") % 2 == 0, part
    assert all(part.startswith("```python\n") for part in parts[1:-1])
    assert [line for part in parts for line in part.splitlines() if line.startswith("line")] == code.splitlines()


@pytest.mark.parametrize("fence", ["```" + "x" * 500, "`" * 500, "~" * 90])
def test_an_absurd_fence_comes_to_an_end(fence: str) -> None:
    parts = split(f"{fence}\n" + "code\n" * 100, 100)
    assert all(0 < len(part) <= 100 for part in parts)


def test_a_person_of_several_characters_stays_whole() -> None:
    parts = split("👩‍👩‍👧‍👦" * 30, 100)
    assert all(part.startswith("👩") for part in parts)
