"""What a question costs in commits, counted from outside: each is a marked frame of the write-ahead log."""

from pathlib import Path

from picklebot.testing import FakeChannel, ScriptedModel
from tests.flow.conftest import Daemon

QUESTIONS = 8
_HEAD, _FRAME_HEAD = 32, 24  # bytes (https://sqlite.org/fileformat2.html#the_write_ahead_log)


def commits(workspace: Path) -> int:
    log = (workspace / ".picklebot" / "picklebot.db-wal").read_bytes()
    frame = _FRAME_HEAD + int.from_bytes(log[8:12])
    return sum(any(log[at + 4 : at + 8]) for at in range(_HEAD, len(log), frame))


async def test_a_question_to_an_idle_agent_waits_for_two_commits_and_its_delivery_is_a_third(
    daemon: Daemon, channel: FakeChannel, workspace: Path
) -> None:
    model = ScriptedModel(*(f"answer {n}" for n in range(QUESTIONS + 1)))
    async with daemon(model, channel):
        await channel.say("the first one, for which the session is made")
        await channel.heard()
        before = commits(workspace)
        for n in range(QUESTIONS):
            await channel.say(f"question {n}")
            assert (await channel.heard())[1] == f"answer {n + 1}"
        taken = commits(workspace) - before
    assert 2 * QUESTIONS <= taken <= 3 * QUESTIONS + 1  # the first delivery may be acknowledged late
