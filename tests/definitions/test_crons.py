from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picklebot.definitions import schedules
from picklebot.definitions.crons import CronSpec, Missed, parse_cron
from picklebot.definitions.spec import BudgetSpec
from picklebot.definitions.values import duration
from picklebot.errors import DefinitionError

FILES = Path(__file__).parent / "files"


def parsed(folder: Path, front: str, body: str = "Make tea.") -> tuple[CronSpec, list[str]]:
    path = folder / "CRON.md"
    path.write_text(f"---\n{front}\n---\n{body}\n", encoding="utf-8")
    return parse_cron(path, "tea")


def test_a_job_of_few_words_has_safe_defaults(tmp_path: Path) -> None:
    spec, notes = parsed(tmp_path, "every: 30m")
    assert spec == CronSpec(id="tea", every=1800, prompt="Make tea.", path=tmp_path / "CRON.md")
    assert (spec.name, spec.agent, spec.timezone, spec.one_off, spec.enabled) == ("tea", None, None, False, True)
    assert (spec.missed, spec.overlap, spec.jitter) == (("once", 0), "skip", 0)
    assert (spec.session, spec.deliver, spec.gate, spec.budget) == ("fresh", "last", None, BudgetSpec())
    assert notes == []


def test_every_key_of_the_contract_is_read(tmp_path: Path) -> None:
    front = """
name: Tea
agent: pickle
schedule: 0 9 * * 1-5        # weekdays
timezone: Europe/Berlin
one_off: yes
missed: within:30m
overlap: queue
jitter: 90
session: keep
deliver: telegram:42:42
gate: test -e kettle
enabled: off
budget: {day_usd: 1}"""
    spec, notes = parsed(tmp_path, front)
    assert notes == []
    assert (spec.name, spec.agent, spec.schedule, spec.timezone) == ("Tea", "pickle", "0 9 * * 1-5", "Europe/Berlin")
    assert (spec.one_off, spec.missed, spec.overlap, spec.jitter) == (True, Missed("within", 1800), "queue", 90)
    assert (spec.session, spec.deliver, spec.gate, spec.enabled) == ("keep", "telegram:42:42", "test -e kettle", False)
    assert spec.budget == BudgetSpec(day_usd=1)


def test_an_unquoted_star_is_a_schedule() -> None:
    spec, _ = parse_cron(FILES / "quarterly.md", "quarterly")
    assert spec.schedule == "*/15 * * * *"


@pytest.mark.parametrize("at", ["2026-12-01T09:00", "2026-12-01 09:00", "2026-12-01T09:00:00+02:00"])
def test_a_moment_stays_as_it_was_written(tmp_path: Path, at: str) -> None:
    assert parsed(tmp_path, f"at: {at}")[0].at == at


@pytest.mark.parametrize(
    ("front", "line", "words"),
    [
        ("name: x", 1, "here is none"),
        ("every: 5m\nname: x\nat: 2026-12-01T09:00", 4, "here are every and at"),
        ("\nschedule: 61 * * * *", 3, "out of range"),
        ("schedule: * * * * * *", 2, "6 fields"),
        ("schedule: every 30m", 2, "2 fields"),
        ("schedule: 0 0 30 2 *", 2, "schedule: "),
        ("schedule: @dayly", 2, "did you mean @daily?"),
        ("schedule: @reboot", 2, "no schedule"),
        ("schedule: R * * * *", 2, "by lot"),
        ("schedule: 0 H(0-3) * * *", 2, "no cron field"),
        ("schedule: 0 0 * * sun-sun", 2, "starts where it ends"),
        ("every: 0s", 2, "every: "),
        ("every: often", 2, "'30s'"),
        ("every: -5m", 2, "no duration"),
        ("every: 20000w", 2, "ten years"),
        ("at: 09:00", 2, "2026-12-01T09:00"),
        ("every: 5m\ntimezone: Europe/Berlim", 3, "'Europe/Berlin'"),
        ("every: 5m\ntimezone: ../../etc/passwd", 3, "no time zone"),
        ("every: 5m\ntimezone: Europe", 3, "no time zone"),
        ("every: 5m\nmissed: twice", 3, "within:30m"),
        ("every: 5m\nmissed: within", 3, "'30s'"),
        ("every: 5m\noverlap: skp", 3, "did you mean 'skip'?"),
        ("every: 5m\ndeliver: telegram", 3, "telegram:42:42"),
        ("every: 5m\nagent: ../x", 3, "no id"),
        ("every: 5m\nenabled: maybe", 3, "enabled: "),
    ],
)
def test_a_wrong_value_is_an_error_on_the_line_of_its_key(tmp_path: Path, front: str, line: int, words: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parsed(tmp_path, front)
    assert (caught.value.line, words in caught.value.reason) == (line, True), str(caught.value)


def test_a_job_without_a_prompt_needs_a_gate(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="no text below"):
        parsed(tmp_path, "every: 5m", body="")
    assert parsed(tmp_path, "every: 5m\ngate: ./check", body="")[0].gate == "./check"


def test_delivering_to_null_is_delivering_to_nobody(tmp_path: Path) -> None:
    assert parsed(tmp_path, "every: 5m\ndeliver: null")[0].deliver == "none"


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("30m", 1800),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("0s", 0),
        ("90", 90),
        ("1.5h", 5400),
        ("250ms", 0.25),
    ],
)
def test_a_duration_is_read_in_seconds(written: object, seconds: float) -> None:
    assert duration(written) == seconds


@pytest.mark.parametrize("written", ["", "m", "30x", "-1", "inf", "nan", "\u0661m", True, None, [], "9" * 400])
def test_what_is_no_duration_is_refused_in_words(written: object) -> None:
    with pytest.raises(ValueError, match=r"duration|single line"):
        duration(written)


def outcome(check: Callable[[str], str], text: str) -> tuple[str, str]:
    try:
        return check(text), ""
    except ValueError as error:
        return "", str(error)


@given(st.text() | st.text(alphabet="0123456789*/,-#?LWHRsunmo @", max_size=24))
def test_any_text_is_a_schedule_or_refused_in_words(text: str) -> None:
    found, refusal = outcome(schedules.schedule, text)
    assert "schedule" in refusal if refusal else schedules.schedule(found) == found


@given(st.text())
def test_any_text_is_a_zone_or_refused_in_words(text: str) -> None:
    found, refusal = outcome(schedules.zone, text)
    assert "time zone" in refusal if refusal else found == text
