"""Killed around an instant: it has one row and one turn, whenever the blow fell."""

import asyncio
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.crash.daemons import Start
from tests.crash.plants import JOB_PLANTS

pytestmark = [pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(120)]

CLAIMED = "SELECT count(*) FROM instants WHERE stage IN ('fired', 'late')"
ACCEPTED = "SELECT count(*) FROM inbox WHERE channel = 'cron'"
BEGUN = "SELECT count(*) FROM turns"
ENDED = "SELECT count(*) FROM turns WHERE state = 'done'"
OPEN = """SELECT (SELECT count(*) FROM inbox WHERE state = 'open')
    + (SELECT count(*) FROM instants WHERE stage IN ('waiting', 'gating'))"""
CONFIG = "default_agent: echo\nmodel: {provider: offline}\ngateway: {enabled: false}\nlogging: {level: warning}\n"
JOB = "---\nevery: 1s\nmissed: all\noverlap: queue\ndeliver: none\n---\nSay hello.\n"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A workspace with a job that is due each second, and wants every instant begun."""
    top = tmp_path / "workspace"
    for path, text in {
        "config.yaml": CONFIG,
        "agents/echo/AGENT.md": "---\nname: Echo\n---\nSay hello.\n",
        "crons/tick/CRON.md": JOB,
    }.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(text)
    return top


def database(workspace: Path) -> Path:
    return workspace / ".picklebot" / "picklebot.db"


def ask(workspace: Path, sql: str) -> int:
    """Look at another process's database; 0 while there is none."""
    if not database(workspace).exists():
        return 0
    with closing(sqlite3.connect(database(workspace), timeout=10)) as connection:
        try:
            found: int = connection.execute(sql).fetchone()[0]
        except sqlite3.OperationalError:
            return 0
    return found


async def live(start: Start, workspace: Path, *, until: str, key: str, plant: str | None = None) -> None:
    """Start a daemon, and kill it the moment that a count grows."""
    before = ask(workspace, until)
    daemon = await start(workspace, workspace.parent / "daemon.log", key=key, plant=plant)
    async with asyncio.timeout(30):
        while ask(workspace, until) == before:  # noqa: ASYNC110  (another process rings no bell)
            await asyncio.sleep(0.001)
    daemon.signal(signal.SIGKILL)
    await daemon.ended.wait()


async def drain(start: Start, workspace: Path) -> None:
    """Let a daemon finish everything that was begun, with no further instant."""
    job = workspace / "crons/tick/CRON.md"
    job.write_text(JOB.replace("---\nevery", "---\nenabled: false\nevery", 1))
    daemon = await start(workspace, workspace.parent / "daemon.log", key="drain")
    async with asyncio.timeout(60):
        while ask(workspace, OPEN):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    daemon.signal(signal.SIGTERM)
    await daemon.ended.wait()


def complaints(workspace: Path) -> Iterator[str]:
    """Find instants without a row, rows without their message, and messages without a row or with two turns."""
    with closing(sqlite3.connect(database(workspace))) as connection:
        moments = [row[0] // 1_000_000 for row in connection.execute("SELECT at FROM instants ORDER BY at")]
        if moments != list(range(moments[0], moments[0] + len(moments))):
            yield f"instants are missing or twice there: {moments}"
        for wall, stage in connection.execute(
            "SELECT wall, stage FROM instants WHERE stage IN ('fired', 'late') AND event IS NULL"
        ):
            yield f"{wall} is {stage}, and its message is nowhere"
        for wall, stage in connection.execute("SELECT wall, stage FROM instants WHERE stage NOT IN ('fired', 'late')"):
            yield f"{wall} was not begun: {stage}"
        for (key,) in connection.execute(
            "SELECT key FROM inbox WHERE NOT EXISTS (SELECT 1 FROM instants WHERE event = inbox.seq)"
        ):
            yield f"the message {key} belongs to no instant"
        for key, state, steps in connection.execute(
            "SELECT key, inbox.state, (SELECT count(*) FROM steps WHERE turn = inbox.seq) FROM inbox"
        ):
            if (state, steps) != ("done", 1):
                yield f"the message {key} is {state} after {steps} steps"


@pytest.mark.parametrize("until", [CLAIMED, ACCEPTED, BEGUN, ENDED], ids=["claimed", "accepted", "begun", "ended"])
async def test_an_instant_has_one_row_and_one_turn_wherever_the_daemon_is_killed(
    here: Path, start: Start, until: str
) -> None:
    for n in range(6):
        await live(start, here, until=until, key=f"life-{n}")
    await drain(start, here)
    assert list(complaints(here)) == []
    assert ask(here, ENDED) >= 6


@pytest.mark.parametrize("name", list(JOB_PLANTS))
async def test_a_planted_bug_of_jobs_is_caught(here: Path, start: Start, name: str) -> None:
    for n in range(3):
        await live(start, here, until=CLAIMED, key=f"life-{n}", plant=name)
    await drain(start, here)
    assert any("its message is nowhere" in words for words in complaints(here))
