"""The benchmarks run, in their short form, and count what they claim to count. How fast is not asked here."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import (
    bare_ask,
    bare_files,
    bare_rows,
    bus,
    flat,
    idle,
    jobs,
    memory,
    recovery,
    scheduler,
    startup,
    turns,
)
from benchmarks.__main__ import main
from benchmarks.bare_sdk import WAYS
from benchmarks.daemon import MODEL, messages_api, prepare
from benchmarks.rows import Bar, Row, Scale
from benchmarks.stored import count_open
from benchmarks.table import render
from picklebot.store.database import connect


@pytest.fixture
def scale(tmp_path: Path) -> Scale:
    return Scale(folder=tmp_path, quick=True)


def row(**fields: object) -> Row:
    return Row(**{"bench": "b", "case": "c", "what": "w", "figure": 30.0, "unit": "/s", "beside": "x", **fields})  # type: ignore[arg-type]  # a test may choose any field


@pytest.mark.parametrize(
    ("bar", "other", "met"),
    [
        (Bar(ratio=0.5), 60.0, True),
        (Bar(ratio=0.5), 61.0, False),
        (Bar(times=1.5), 20.0, True),
        (Bar(times=1.5), 19.0, False),
        (Bar(within=5), 25.0, True),
        (Bar(within=5), 24.0, False),
        (Bar(most=30), None, True),
        (Bar(most=29), None, False),
        (Bar(within=5, most=29), 25.0, False),
    ],
)
def test_a_bar_is_met_or_missed(bar: Bar, other: float | None, met: bool) -> None:
    assert row(bar=bar, other=other).met is met


def test_a_bar_beside_nothing_is_missed() -> None:
    assert row(bar=Bar(ratio=0.1)).met is False


def test_a_table_says_ratio_and_bar_and_whether_it_is_met() -> None:
    _, met, missed = render([row(other=40.0, bar=Bar(ratio=0.5)), row(other=40.0, bar=Bar(ratio=0.8))]).splitlines()
    assert met.split() == ["b", "c", "w", "30.0", "/s", "x", "40.0", "0.75", ">=", "0.5", "x", "met"]
    assert missed.endswith("MISSED")


async def test_the_bus_acknowledges_every_event_and_times_each(tmp_path: Path) -> None:
    rate, latencies = await bus.publish(tmp_path / "bus.db", 8, 80)
    assert len(latencies) == 80
    assert rate > 0


async def test_the_bare_loop_leaves_the_rows_that_the_bus_leaves(tmp_path: Path) -> None:
    await bus.publish(tmp_path / "bus.db", 4, 40)
    await bare_rows.publish(tmp_path / "bare.db", 4, 40)
    ours, bare = (rows_of(tmp_path / name) for name in ("bus.db", "bare.db"))
    assert ours == bare == {"events": 40, "done": 40}


def rows_of(path: Path) -> dict[str, int]:
    connection = connect(path, read_only=True)
    try:
        counted = {
            "events": connection.execute("SELECT count(*) FROM events").fetchone()[0],
            "done": connection.execute("SELECT count(*) FROM inbox WHERE state = 'done'").fetchone()[0],
        }
    finally:
        connection.close()
    return counted


def test_no_file_is_left_of_an_event_that_was_acknowledged(tmp_path: Path) -> None:
    _, latencies = bare_files.publish(tmp_path / "files", 4, 20)
    assert len(latencies) == 20
    assert list((tmp_path / "files").iterdir()) == []


def test_the_bus_short_form_prints_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bus", "--quick", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert "fsync" in document["machine"]
    assert {row["case"] for row in document["rows"]} == {"disk", "1 publisher", "16 publishers"}
    assert all(row["figure"] > 0 for row in document["rows"])


def test_turns_run_beside_the_bare_sdk(scale: Scale) -> None:
    rows = turns.run(scale)
    assert {row.beside for row in rows if row.what == "turns"} == {f"bare {way}" for way in WAYS}
    assert all(row.figure > 0 for row in rows)


def test_flat_compares_a_full_daemon_with_an_empty_one_and_long_histories_with_the_bare_sdk(scale: Scale) -> None:
    *elsewhere, history = flat.run(scale)
    assert {row.beside for row in elsewhere} == {flat.EMPTY}
    assert [row.case.split(" ", 1)[1] for row in elsewhere] == ["stored messages", "skills", "agents", "jobs"]
    assert history.other


def test_recovery_and_idle_watch_a_server_until_all_is_answered(scale: Scale) -> None:
    ready, drained = recovery.measure(scale, None, 200, 30.0)
    idle_mb = idle.settled(scale, None, 5)  # raises unless every session had its turn
    assert ready > 0
    assert (drained.answered, drained.looks[-1].left) == (200, 0)
    assert drained.rate > 0
    assert drained.cost(0, 1) > 0
    assert min(drained.peak, idle_mb) > 10
    assert count_open(scale.folder / "recovery-200") == 0


def test_startup_gets_to_each_beginning(scale: Scale) -> None:
    assert startup.cpu((*startup.PROGRAM, "--help")) > 0
    assert startup.prompt(prepare(scale.folder / "startup", None)) > 0


def test_jobs_are_found_in_a_timetable_and_beside_it_by_asking_all(scale: Scale) -> None:
    rows = jobs.run(scale)
    assert [row.what for row in rows if row.beside == jobs.MATCHING] == ["soonest: all that a quiet minute costs"]
    assert all(row.figure > 0 for row in rows)
    assert len(jobs.built(jobs.made(50))) == 50


def test_memory_is_indexed_searched_and_made_anew_with_the_same_answers(scale: Scale) -> None:
    rows = {f"{row.case}: {row.what}": row for row in memory.run(scale)}
    assert rows["300 notes of 1 KB: kinds of answers that differ after reindexing"].figure == 0
    assert rows["300 notes of 1 KB: index"].figure > 0
    assert rows["recall@5, all: words"].met


def test_the_scheduler_takes_in_all_jobs_and_then_waits(scale: Scale) -> None:
    rows = scheduler.run(scale)
    assert [row.what for row in rows] == ["seen for the first time", "start again", "nothing is due"]
    assert all(row.figure > 0 for row in rows)


def test_a_question_counts_only_when_it_was_answered() -> None:
    assert startup.wall((sys.executable, "-c", "print('hello')")) > 0
    with pytest.raises(RuntimeError, match="failed"):
        startup.wall((sys.executable, "-c", "print('sorry')"))


def test_the_bare_question_gets_the_reply() -> None:
    with messages_api("--reply", "hello") as url:
        assert bare_ask.ask(url, MODEL) == "hello"
