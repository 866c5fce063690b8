"""Killed 300 times under load, and stopped now and then: what must never happen does not, and planted bugs are seen."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.crash.daemons import Start
from tests.crash.harness import SETTINGS, Raid, hunt, raid
from tests.crash.plants import PLANTS

KILLS, STOPS = 300, 16

pytestmark = [pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(300)]


async def test_300_kills_lose_nothing_repeat_nothing_and_keep_the_order(tmp_path: Path, start: Start) -> None:
    lives = KILLS // len(SETTINGS)
    raids = [
        raid(tmp_path / f"world{n}", start, setting, Raid(lives=lives, seed=n)) for n, setting in enumerate(SETTINGS)
    ]
    worlds = await asyncio.gather(*raids)
    for findings in worlds:
        assert not findings.verdicts, str(findings)
    assert sum(findings.counts["kills"] for findings in worlds) >= KILLS


async def test_sigterm_at_any_time_ends_with_0_and_loses_nothing(tmp_path: Path, start: Start) -> None:
    raids = [
        raid(tmp_path / f"world{n}", start, setting, Raid(lives=STOPS // 2, seed=n, by=signal.SIGTERM))
        for n, setting in enumerate(SETTINGS[:2])
    ]
    for findings in await asyncio.gather(*raids):
        assert not findings.verdicts, str(findings)


@pytest.mark.parametrize("name", list(PLANTS))
async def test_a_planted_bug_is_caught(tmp_path: Path, start: Start, name: str) -> None:
    findings = await hunt(tmp_path / "world", start, name, lives=80)
    assert findings.verdicts, f"{findings.counts['kills']} kills, and nothing was seen"
