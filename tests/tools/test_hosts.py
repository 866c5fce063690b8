"""The pool of tool processes, and what becomes of one that misbehaves."""

import asyncio
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from picklebot.clock import SystemClock
from picklebot.core.rights import Sandbox
from picklebot.errors import ToolError
from picklebot.testing.clock import FakeClock
from picklebot.toolhost.kept import Kept
from picklebot.tools.hosts import ToolHosts
from picklebot.tools.launcher import PlainLauncher
from tests.tools.conftest import Toolbox, marker, sleepers, until

HOST = "awk '{print $4}' /proc/$PPID/stat"  # the parent of the command's supervisor


class Script:
    """A launcher for a program that stands in for a broken tool process."""

    def __init__(self, program: str) -> None:
        self._program = program

    def command(self, root: Path, sandbox: Sandbox) -> Sequence[str]:
        return [sys.executable, "-I", "-S", "-c", self._program]

    def stamp(self, root: Path) -> None:
        return None

    def environment(self, sandbox: Sandbox) -> Mapping[str, str]:
        return {}


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def host_of(hosts: ToolHosts, session: str) -> int:
    return int(await hosts.call(session, "bash", {"command": HOST}, seconds=20))


async def test_twenty_calls_run_at_once(toolbox: Toolbox, root: Path) -> None:
    # Each waits until all have begun, so they end only if they run together.
    command = "touch begun-$RANDOM$RANDOM; until [ $(ls | wc -l) -ge 20 ]; do sleep 0.05; done; echo done"
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(toolbox("bash", command=command)) for _ in range(20)]
    assert [call.result() for call in calls] == ["done"] * 20


async def test_parallel_edits_of_one_file_lose_none(toolbox: Toolbox, root: Path) -> None:
    (root / "f").write_text("".join(f"<{n}>" for n in range(20)))
    async with asyncio.TaskGroup() as group:
        for n in range(20):
            group.create_task(toolbox("edit_file", path="f", old=f"<{n}>", new=f"[{n}]"))
    assert (root / "f").read_text() == "".join(f"[{n}]" for n in range(20))


async def test_each_session_has_a_process_of_its_own_and_keeps_it(hosts: ToolHosts) -> None:
    first, second = await host_of(hosts, "s1"), await host_of(hosts, "s2")
    assert first != second
    assert await host_of(hosts, "s1") == first


async def test_a_call_is_stopped_while_its_process_starts_and_the_next_one_served(hosts: ToolHosts) -> None:
    for n in range(6):
        session = f"s{n}"
        call = asyncio.create_task(hosts.call(session, "bash", {"command": "sleep 60"}, seconds=100))
        await asyncio.sleep(n / 500)
        call.cancel()
        await asyncio.wait({call}, timeout=20)
        assert call.cancelled()
        assert await hosts.call(session, "bash", {"command": "echo here"}, seconds=20) == "here"


async def test_an_idle_process_is_closed_and_a_used_one_is_not(root: Path) -> None:
    clock = FakeClock()
    async with ToolHosts(root, clock=clock, idle_seconds=60) as hosts:
        pid = await host_of(hosts, "s1")
        await clock.asleep()
        clock.advance(seconds=59)
        assert await host_of(hosts, "s1") == pid
        await clock.asleep()
        clock.advance(seconds=59)
        assert await host_of(hosts, "s1") == pid
        await clock.asleep()
        clock.advance(seconds=60)
        await until(lambda: not alive(pid))
        assert await host_of(hosts, "s1") != pid


async def test_the_process_idle_longest_makes_way(root: Path) -> None:
    async with ToolHosts(root, clock=FakeClock(), max_hosts=2) as hosts:
        first, second = await host_of(hosts, "s1"), await host_of(hosts, "s2")
        assert await host_of(hosts, "s1") == first
        await host_of(hosts, "s3")
        await until(lambda: not alive(second))
        assert await host_of(hosts, "s1") == first


async def test_a_new_session_waits_while_all_are_busy(root: Path) -> None:
    async with ToolHosts(root, clock=FakeClock(), max_hosts=1) as hosts:
        busy = asyncio.create_task(
            hosts.call("s1", "bash", {"command": "touch begun; until [ -e go ]; do sleep 0.02; done"}, seconds=20)
        )
        await until((root / "begun").exists)
        waiting = asyncio.create_task(hosts.call("s2", "bash", {"command": "echo mine"}, seconds=20))
        await hosts.call("s1", "write_file", {"path": "go", "content": ""}, seconds=20)
        assert await busy == "(no output)"
        assert await waiting == "mine"


async def test_a_session_that_finds_no_place_is_told(root: Path) -> None:
    clock = FakeClock()
    async with ToolHosts(root, clock=clock, max_hosts=1) as hosts:
        busy = asyncio.create_task(hosts.call("s1", "bash", {"command": "touch begun; sleep 30"}, seconds=20))
        await until((root / "begun").exists)
        late = asyncio.create_task(hosts.call("s2", "bash", {"command": "true"}, seconds=20))
        await clock.asleep()
        clock.advance(seconds=30)
        with pytest.raises(ToolError, match="all 1 tool processes are busy"):
            await late
        busy.cancel()
        with pytest.raises(asyncio.CancelledError):
            await busy


async def test_closing_ends_every_process_and_fails_what_runs(root: Path) -> None:
    hosts = ToolHosts(root, clock=SystemClock())
    pids = [await host_of(hosts, session) for session in ("s1", "s2", "s3")]
    mark = marker()
    call = asyncio.create_task(hosts.call("s1", "bash", {"command": f"setsid sleep {mark}"}, seconds=20))
    await until(lambda: len(sleepers(mark)) == 1)
    await hosts.aclose()
    with pytest.raises(ToolError, match=r"the tool process ended|stopped"):
        await call
    assert not any(alive(pid) for pid in pids)
    await until(lambda: not sleepers(mark))
    with pytest.raises(ToolError, match="stopping"):
        await hosts.call("s1", "bash", {"command": "true"}, seconds=20)
    await hosts.aclose()


async def test_closing_while_a_process_starts_leaves_none(root: Path) -> None:
    hosts = ToolHosts(root, clock=SystemClock())
    mark = marker()
    call = asyncio.create_task(hosts.call("s1", "bash", {"command": f"sleep {mark}"}, seconds=20))
    await asyncio.sleep(0)
    await hosts.aclose()
    with pytest.raises(ToolError):
        await call
    await until(lambda: not sleepers(mark))


@pytest.mark.parametrize(
    "program",
    [
        "print('hello', flush=True); import time; time.sleep(60)",
        "print('[' * 100000, flush=True); import time; time.sleep(60)",
        "print('[]', flush=True); import time; time.sleep(60)",
        "print('{\"id\": [1]}', flush=True); import time; time.sleep(60)",
        "print('x' * 5_000_000, flush=True); import time; time.sleep(60)",
        "print('half a line', end='', flush=True); input()",
        "import os; os.kill(os.getpid(), 9)",
        "import sys; sys.stderr.write('no such module'); sys.exit(1)",
        "",
    ],
)
async def test_a_process_that_talks_nonsense_fails_the_call_and_is_killed(root: Path, program: str) -> None:
    async with ToolHosts(root, clock=FakeClock(), launcher=Script(program)) as hosts:
        for _ in range(2):
            with pytest.raises(ToolError, match="the tool process ended"):
                await hosts.call("s1", "read_file", {"path": "x"}, seconds=20)


async def test_a_process_that_never_answers_is_killed_and_replaced(root: Path) -> None:
    program = "import os, time; open('pids', 'a').write(f'{os.getpid()} '); time.sleep(60)"
    async with ToolHosts(root, clock=FakeClock(), launcher=Script(program)) as hosts:
        for _ in range(2):
            with pytest.raises(ToolError, match="did not end within"):
                await hosts.call("s1", "read_file", {"path": "x"}, seconds=0.2, grace=0.3)
        pids = [int(word) for word in (root / "pids").read_text().split()]
        assert len(set(pids)) == 2
        await until(lambda: not any(alive(pid) for pid in pids))


async def test_a_process_that_reads_nothing_is_killed_when_a_long_call_is_stopped(root: Path) -> None:
    program = "import os, time; open('pid', 'w').write(f'{os.getpid()} '); time.sleep(60)"
    async with ToolHosts(root, clock=FakeClock(), launcher=Script(program)) as hosts:
        given = {"path": "x", "content": "x" * 500_000}  # more than fits into a pipe
        call = asyncio.create_task(hosts.call("s1", "write_file", given, seconds=100, grace=0.2))
        await until(lambda: (root / "pid").exists() and (root / "pid").read_text().endswith(" "))
        call.cancel()
        await asyncio.wait({call}, timeout=5)
        assert call.cancelled()
        pid = int((root / "pid").read_text())
        await until(lambda: not alive(pid))


async def test_a_process_whose_idle_time_is_up_while_all_are_closed_keeps_no_other_from_it(root: Path) -> None:
    looking, go_on = threading.Event(), threading.Event()

    class Slow(PlainLauncher):
        def command(self, root: Path, sandbox: Sandbox) -> Sequence[str]:
            if sandbox == "read-only":
                looking.set()
                go_on.wait(10)
            return super().command(root, sandbox)

    clock = FakeClock()
    hosts = ToolHosts(root, clock=clock, launcher=Slow(), idle_seconds=60)
    starting = asyncio.create_task(hosts.call("s1", "bash", {"command": HOST}, seconds=20, sandbox="read-only"))
    await until(looking.is_set)
    pids = [await host_of(hosts, session) for session in ("s2", "s3")]
    await clock.asleep(2)
    closing = asyncio.create_task(hosts.aclose())
    await asyncio.sleep(0)  # it waits for the first, which is just starting
    clock.advance(seconds=60)
    await asyncio.sleep(0)
    go_on.set()
    await closing
    await asyncio.gather(starting, return_exceptions=True)  # it was begun, and may have been quick enough
    assert not any(alive(pid) for pid in pids)


async def test_a_program_that_is_missing_is_told(root: Path) -> None:
    class Missing(Script):
        def command(self, root: Path, sandbox: Sandbox) -> Sequence[str]:
            return [str(root / "nothing")]

    async with ToolHosts(root, clock=FakeClock(), launcher=Missing("")) as hosts:
        with pytest.raises(ToolError, match="could not be started"):
            await hosts.call("s1", "read_file", {"path": "x"}, seconds=20)


async def test_an_unknown_tool_is_refused_by_name(hosts: ToolHosts) -> None:
    with pytest.raises(ToolError, match="knows no 'dance'"):
        await hosts.call("s1", "dance", {}, seconds=20)


async def test_a_crash_inside_a_tool_is_an_answer(hosts: ToolHosts) -> None:
    with pytest.raises(ToolError, match="crashed"):
        await hosts.call("s1", "read_file", {}, seconds=20)
    assert "Nothing matches" in await hosts.call("s1", "glob", {"pattern": "x"}, seconds=20)


async def test_a_flood_does_not_fill_the_hosts_memory(hosts: ToolHosts) -> None:
    pid = await host_of(hosts, "s1")
    await hosts.call("s1", "bash", {"command": "yes"}, seconds=30)
    peak = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    assert int(peak.split()[1]) < 100_000  # kB
    assert os.getpid() != pid


def test_what_is_kept_of_an_output_is_bounded() -> None:
    kept = Kept(10)
    for _ in range(1000):
        kept.add(b"abcdefgh\n")
    assert kept.total == 9000
    assert kept.text() == "abcdefgh\na\n[8,980 bytes cut here]\n\nabcdefgh\n"
    whole = Kept(10)
    whole.add(b"short")
    assert whole.text() == "short"
