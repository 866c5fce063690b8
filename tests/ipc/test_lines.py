"""Programs and their folders, with a real keeper in each sandbox."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from picklebot.errors import TurnError
from picklebot.ipc.letters import Note
from picklebot.ipc.line import Line, Start
from picklebot.ipc.lines import Lines
from picklebot.sandbox.choosing import choose
from picklebot.testing import FakeClock
from picklebot.testing.clock import PATIENCE
from picklebot.tools.launcher import PlainLauncher, ResidentLauncher
from tests.processes import running

READY = 'echo \'{"content": "ready"}\' > ipc/messages/.1; mv ipc/messages/.1 ipc/messages/1-1.json; '


@pytest.fixture(params=["bubblewrap", "landlock", "off"])
def launcher(request: pytest.FixtureRequest) -> ResidentLauncher:
    if request.param == "off":
        return PlainLauncher(memory_mb=256)
    choice = choose(request.param, memory_mb=256, network=False)
    assert choice.launcher is not None, choice.why
    return choice.launcher


class Conversation:
    """One line, whose program is a shell script."""

    def __init__(self, lines: Lines, launcher: ResidentLauncher) -> None:
        self.line = lines.open("agent", "session")
        self.line.held = True  # as a turn holds it
        self._launcher = launcher

    async def begin(self, script: str) -> None:
        root = self.line.folder.root
        command = self._launcher.resident(root, ["sh", "-c", script], "workspace", further=())
        await self.line.begin(Start(command=command, environment=self._launcher.environment("workspace")))

    async def said(self) -> list[str]:
        async with asyncio.timeout(PATIENCE):
            while True:
                self.line.bell.clear()
                if letters := await self.line.letters():
                    return [letter.content for letter in letters]
                await self.line.bell.wait()

    async def over(self) -> str:
        async with asyncio.timeout(PATIENCE):
            while (why := self.line.over) is None:
                self.line.bell.clear()
                await self.line.bell.wait()
        return why


@asynccontextmanager
async def conversing(top: Path, launcher: ResidentLauncher, clock: FakeClock) -> AsyncIterator[Conversation]:
    lines, stop = Lines(top, clock=clock), asyncio.Event()

    async def ignore(line: Line) -> None:
        """Leave what is said for the test."""

    async with asyncio.TaskGroup() as group:
        group.create_task(lines.run(stop, ignore), name="lines")
        await asyncio.sleep(0)
        yield Conversation(lines, launcher)
        stop.set()


async def test_a_program_that_does_not_exit_is_ended_after_ten_seconds_with_all_it_started(
    tmp_path: Path, launcher: ResidentLauncher
) -> None:
    clock = FakeClock()
    first, second, third = (str(10 * os.getpid() + n) for n in range(1, 4))  # as nobody else on this machine sleeps
    async with conversing(tmp_path, launcher, clock) as one:
        await one.begin(f"trap '' TERM HUP; setsid sleep {first} & {READY} sleep {second}; sleep {third}")
        assert await one.said() == ["ready"]
        await until(lambda: running("sleep", first) and running("sleep", second))
        closing = asyncio.create_task(one.line.close(), name="closing")
        await clock.asleep(2)
        clock.advance(seconds=9.9)
        assert (tmp_path / "agent" / "session" / "ipc" / "_close").exists()
        assert not closing.done()
        clock.advance(seconds=0.1)
        await closing
        assert not [number for number in (first, second, third) if running("sleep", number)]


async def test_why_a_program_ended_is_known(tmp_path: Path, launcher: ResidentLauncher) -> None:
    clock = FakeClock()
    endings = {
        "exit 0": "",
        "echo no luck; exit 7": "its program ended with exit code 7: no luck",
        "kill -SEGV $$": "its program was ended by signal 11 (SIGSEGV)",
        "echo >&2; echo last words >&2; exit 1": "its program ended with exit code 1: last words",
        "(head -c 300000000 /dev/zero; sleep 100) | tail": "its processes held more than 256 MiB of memory together",
    }
    async with conversing(tmp_path, launcher, clock) as one:
        found = {}
        for script in endings:
            one.line.worked()
            await one.begin(script)
            found[script] = await one.over()
    assert found == endings


async def test_an_agent_can_make_the_host_read_and_write_nothing_outside(
    tmp_path: Path, launcher: ResidentLauncher
) -> None:
    clock = FakeClock()
    outside = tmp_path / "outside"
    (outside / "messages").mkdir(parents=True)
    (outside / "messages" / "1-1.json").write_text('{"content": "a secret"}')
    async with conversing(tmp_path / "top", launcher, clock) as one:
        for script in (
            f"rm -r ipc; ln -s {outside} ipc",
            f"rm -r ipc/*; ln -s {outside} ipc/input; ln -s {outside}/messages ipc/messages",
            "i=0; while [ $i -lt 1100 ]; do : > ipc/messages/$i-1.json; : > ipc/input/x$i; i=$((i+1)); done",
        ):
            await one.begin(f"{script}; touch done; sleep 100")
            await until((one.line.folder.root / "done").exists)
            with pytest.raises(TurnError):
                await one.line.letters()
            with pytest.raises(TurnError):
                await handed_and_read(one.line)
            one.line.drop()
            (one.line.folder.root / "done").unlink()
            assert await one.line.letters() == []
        await one.begin(f"{READY} sleep 100")
        assert await one.said() == ["ready"]
        one.line.drop()
    assert sorted(path.name for path in outside.rglob("*")) == ["1-1.json", "messages"]


async def handed_and_read(line: Line) -> None:
    await line.hand(Note(content="hi", source="fake:ann", session_id="session", event_id="e"))
    await line.unread(["e"])


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not done():  # noqa: ASYNC110  # nothing rings
            await asyncio.sleep(0.01)
