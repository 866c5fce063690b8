"""What a text is indexed under, and what a question is looked up by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picklebot.memory.kinship import distance, is_form, splits
from picklebot.memory.terms import LONGEST, asked_of, terms_of


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("She prefers Tea.", ["she", "prefers", "tea"]),
        ("Größe CAFÉ ﬁne", ["grosse", "cafe", "fine"]),
        ("foo_bar-baz/3.5", ["foo", "bar", "baz", "3", "5"]),
        ("茶の湯", ["茶", "の", "湯", "茶の", "の湯"]),
        ("WLAN密码", ["wlan", "密", "码", "密码"]),
        ("हिन्दी עִבְרִית", ["हिन्दी", "עִבְרִית"]),
        ("ガラス", ["ガ", "ラ", "ス", "ガラ", "ラス"]),
        ("'\"()*^:{}", []),
        ("x" * 200, ["x" * LONGEST]),
    ],
)
def test_a_text_has_terms_in_any_script(text: str, terms: list[str]) -> None:
    assert terms_of(text) == terms


@pytest.mark.parametrize(
    ("question", "terms"),
    [("Tea? TEA!", ["tea"]), ("茶", ["茶"]), ("茶の湯", ["茶の", "の湯"]), ("Größe", ["grosse"]), ("* OR NEAR(", ["or", "near"])],
)  # fmt: skip
def test_a_question_asks_for_each_term_once_and_for_pairs(question: str, terms: list[str]) -> None:
    assert asked_of(question) == terms


@given(st.text())
def test_whatever_is_asked_for_is_found_in_the_same_text(text: str) -> None:
    assert set(asked_of(text)) <= set(terms_of(text))


@pytest.mark.parametrize(
    ("one", "other", "kin"),
    [
        ("allergy", "allergies", True),
        ("katze", "katzen", True),
        ("pay", "paying", False),
        ("paid", "pain", True),
        ("tea", "team", True),
        ("party", "particle", False),
        ("car", "cat", False),
    ],
)
def test_forms_differ_in_their_endings(one: str, other: str, kin: bool) -> None:
    assert is_form(one, other) is kin is is_form(other, one)


@pytest.mark.parametrize(
    ("one", "other", "far"),
    [("dentist", "dentist", 0), ("dentist", "detnist", 1), ("dentist", "dentst", 1), ("dentist", "dentisst", 1),
     ("dentist", "bentost", 2), ("dentist", "plumber", 3), ("", "abc", 3)],
)  # fmt: skip
def test_a_slip_of_the_finger_is_one_step(one: str, other: str, far: int) -> None:
    assert distance(one, other, 2) == far == distance(other, one, 2)


def test_a_long_word_may_be_two() -> None:
    assert splits("fahrrad") == []
    assert {"fahrrad", "schluessel"} <= set(splits("fahrradschluessel"))
