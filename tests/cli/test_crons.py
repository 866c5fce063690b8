"""What a person does with jobs at the command line, with a daemon and without."""

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from picklebot.store.base import JobState, Progress, Row
from picklebot.store.sqlite import SqliteStore
from tests.cli.running import PROGRAM, environment, fill, run, run_json
from tests.flow.jobs import write_job

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def yearly(workspace: Path) -> Path:
    """A workspace with a job that is due once a year."""
    write_job(workspace, "yearly", "say hello", schedule="0 0 1 1 *", deliver="none")
    return workspace


@contextmanager
def server(workspace: Path) -> Generator[None]:
    """Run the daemon, from its being ready to its end."""
    command = [*PROGRAM, "-w", str(workspace), "server"]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            assert any("is ready" in line for line in process.stderr)
            yield
        finally:
            process.terminate()
            process.stderr.read()
    assert process.returncode == 0


async def leave(store: SqliteStore) -> None:
    """Write down what an earlier daemon knew of the job."""
    book = store.jobs
    await book.adopt([JobState(id="cron:yearly", fingerprint="x", anchor=NOON, through=NOON)])
    rows = [
        Row(wall=f"2026-11-2{n}T12:00", at=NOON + timedelta(days=n), stage="missed", reason="picklebot was not running")
        for n in range(3)
    ]
    await book.account("cron:yearly", rows, Progress(through=NOON, next=None, due=None))


def test_a_job_cannot_be_begun_where_no_daemon_runs(yearly: Path) -> None:
    done = run(yearly, "crons", "run", "yearly")
    assert done.returncode == 4
    assert "picklebot server" in done.stderr


def test_a_job_that_is_not_there_is_named_with_the_nearest_one(yearly: Path) -> None:
    for command in ("run", "pause", "resume", "history"):
        done = run(yearly, "crons", command, "yearli")
        assert done.returncode == 1
        assert "did you mean 'yearly'?" in done.stderr


def test_a_job_begun_by_hand_beside_the_daemon_is_an_instant_with_its_event(yearly: Path) -> None:
    with server(yearly):
        done = run(yearly, "crons", "run", "yearly")
        assert done.returncode == 0, done.stderr
        [instant] = run_json(yearly, "crons", "history", "yearly", "--json")["history"]
        assert instant["event_id"] == done.stdout.strip()
        assert instant["instant"].startswith("by hand ")
        assert instant["state"] == "ran"
        paused = run(yearly, "crons", "pause", "yearly")
        assert "yearly is paused." in paused.stderr
        [job] = run_json(yearly, "crons", "list", "--json")["crons"]
        assert (job["paused"], job["next"]) == ("by hand", None)
        assert run_json(yearly, "status", "--json")["next_jobs"] == []
    findings = run_json(yearly, "doctor", "--json")["findings"]
    assert any("yearly is paused: by hand" in finding["message"] for finding in findings)
    assert run(yearly, "crons", "resume", "yearly").returncode == 0
    assert len(run_json(yearly, "status", "--json")["next_jobs"]) == 1


def test_a_pause_that_is_asked_for_before_anything_ran_holds_from_the_first_start(yearly: Path) -> None:
    assert "at its start" in run(yearly, "crons", "pause", "yearly").stderr
    with server(yearly):
        [job] = run_json(yearly, "crons", "list", "--json")["crons"]
    assert job["paused"] == "by hand"


async def test_history_tells_every_instant_the_newest_last(yearly: Path) -> None:
    await fill(yearly, leave)
    told = run_json(yearly, "crons", "history", "yearly", "--json", "--limit", "2")["history"]
    assert [each["instant"] for each in told] == ["2026-11-21T12:00", "2026-11-22T12:00"]
    assert {key: told[-1][key] for key in ("state", "reason", "event_id")} == {
        "state": "missed",
        "reason": "picklebot was not running",
        "event_id": None,
    }
    table = run(yearly, "crons", "history", "yearly").stdout
    assert table.splitlines()[-1].startswith("2026-11-22T12:00")
