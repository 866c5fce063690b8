"""What a heartbeat looks at, when, and which answers are silence."""

from datetime import datetime

import pytest

from picklebot.jobs.heartbeat import MARK, SHORT, Hours, audible, points


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n \n",
        "# Heartbeat\n\n## Mail\n",
        "<!-- check the mail -->\n# List\n",
        "# List\n- \n* [ ]\n---\n",
        "<!-- open",
    ],
)
def test_headings_comments_and_empty_points_ask_for_nothing(text: str) -> None:
    assert points(text) == ""


@pytest.mark.parametrize("text", ["check the mail", "# List\n- [ ] water the plants\n", "<!-- a --> look <!-- b -->"])
def test_a_list_with_a_point_is_looked_at_without_its_comments(text: str) -> None:
    assert points(text)
    assert "<!--" not in points(text)


@pytest.mark.parametrize("text", [MARK, f"**{MARK}**", f" {MARK}.\n", f"`{MARK}`", f"{MARK}\n\n{MARK}"])
def test_the_mark_alone_is_silence(text: str) -> None:
    assert audible(text) == ""


def test_three_hundred_other_characters_are_silence_and_one_more_is_not() -> None:
    for reply in (f"{MARK}\n{'x' * SHORT}", f"{'x' * SHORT}\n{MARK}"):
        assert audible(reply) == ""
    for reply in (f"{MARK}\n{'x' * (SHORT + 1)}", f"{'x' * (SHORT + 1)} {MARK}"):
        assert audible(reply) == "x" * (SHORT + 1)


@pytest.mark.parametrize(
    "text", [f"I will not say {MARK} now: the tap drips.", "The tap drips.", f"{MARK}AY", f"NO_{MARK}"]
)
def test_a_mark_in_the_middle_is_no_silence(text: str) -> None:
    assert audible(text) == text


@pytest.mark.parametrize(
    ("hours", "inside", "outside"),
    [
        ("08:00-22:00", ("08:00", "21:59"), ("07:59", "22:00", "00:00")),
        ("22:00-06:00", ("22:00", "23:59", "00:00", "05:59"), ("06:00", "12:00", "21:59")),
        ("08:00-24:00", ("08:00", "23:59"), ("00:00", "07:59")),
        ("00:00-24:00", ("00:00", "12:00", "23:59"), ()),
    ],
)
def test_hours_hold_from_their_beginning_to_before_their_end(
    hours: str, inside: tuple[str, ...], outside: tuple[str, ...]
) -> None:
    window = Hours.parse(hours)
    for text in (*inside, *outside):
        assert window.hold(datetime.fromisoformat(f"2026-11-21T{text}")) is (text in inside), text
