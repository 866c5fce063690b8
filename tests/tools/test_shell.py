"""The shell tool, on real processes: what it returns, and that nothing outlives it."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from picklebot.errors import ToolError
from picklebot.tools.hosts import ToolHosts
from picklebot.tools.launcher import ALLOWED
from tests.tools.conftest import Toolbox, marker, sleepers, until

ESCAPE = "(setsid bash -c '(setsid sleep {mark} &) ; exit' & ) ; "  # its own session twice, and an orphan


async def test_output_and_errors_come_in_the_order_they_were_written(toolbox: Toolbox) -> None:
    assert await toolbox("bash", command="echo one; echo two >&2; echo three") == "one\ntwo\nthree"


async def test_a_failure_says_its_exit_code(toolbox: Toolbox) -> None:
    assert await toolbox("bash", command="echo oops; exit 3") == "oops\n[exit code 3]"


async def test_a_command_killed_by_a_signal_says_which(toolbox: Toolbox) -> None:
    assert "SIGSEGV" in await toolbox("bash", command="kill -SEGV $$")


async def test_a_silent_command_says_so(toolbox: Toolbox) -> None:
    assert await toolbox("bash", command="true") == "(no output)"


async def test_a_command_runs_in_the_root_and_has_no_stdin(toolbox: Toolbox, root: Path) -> None:
    assert await toolbox("bash", command="pwd; cat") == str(root)


async def test_the_environment_holds_no_secret(toolbox: Toolbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "canary-4711")
    seen = await toolbox("bash", command="env; cat /proc/$PPID/environ | tr '\\0' '\\n'")
    names = {line.partition("=")[0] for line in seen.splitlines()}
    assert "canary-4711" not in seen
    assert names <= {*ALLOWED, "PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE"}


async def test_a_late_command_is_stopped_and_its_output_kept(toolbox: Toolbox) -> None:
    mark = marker()
    said = await toolbox("bash", command=f"echo begun; sleep {mark}", timeout=0.5)
    assert said.startswith("begun\n[stopped after 0.5 s")
    assert sleepers(mark) == []


async def test_a_late_command_takes_all_its_descendants_along(toolbox: Toolbox) -> None:
    mark = marker()
    escape = ESCAPE.format(mark=mark)
    await toolbox("bash", command=f"{escape} touch ready; sleep {mark}", timeout=1)
    assert sleepers(mark) == []


async def test_a_background_process_does_not_outlive_its_command(toolbox: Toolbox) -> None:
    mark = marker()
    escape = ESCAPE.format(mark=mark)
    said = await toolbox("bash", command=f"{escape} nohup sleep {mark} & echo done", timeout=30)
    assert said.startswith("done\n[")
    assert "that it left running" in said
    assert sleepers(mark) == []


async def test_processes_that_go_on_forking_are_all_ended(toolbox: Toolbox) -> None:
    mark = marker()
    # They stop by themselves, but long after the command: a broken host must not burden the machine for ever.
    forking = f"for i in $(seq 100); do sleep {mark} & sleep 0.03; done"
    command = f"for i in $(seq 10); do setsid bash -c '{forking}' & done; sleep 0.3"
    await toolbox("bash", command=command, timeout=10)
    assert sleepers(mark) == []


async def test_killing_its_supervisor_frees_nothing(toolbox: Toolbox) -> None:
    mark = marker()
    with pytest.raises(ToolError):
        await toolbox("bash", command=f"setsid sleep {mark} & kill -9 $PPID; sleep {mark}")
    assert sleepers(mark) == []


async def test_one_commands_end_leaves_the_others_alone(toolbox: Toolbox) -> None:
    slow = asyncio.create_task(toolbox("bash", command="touch begun; until [ -e go ]; do sleep 0.02; done; echo slow"))
    quick = await toolbox("bash", command="until [ -e begun ]; do sleep 0.02; done; setsid sleep 50 & echo quick")
    assert quick.startswith("quick")
    await toolbox("bash", command="touch go")
    assert await slow == "slow"


async def test_endless_output_is_cut_and_stopped(toolbox: Toolbox) -> None:
    said = await toolbox("bash", command="yes a-long-line-of-nothing-at-all", timeout=60)
    assert "stopped after 64,000,000 bytes of output" in said
    assert len(said) < 1_100_000


async def test_much_output_keeps_its_beginning_and_its_end(toolbox: Toolbox) -> None:
    said = await toolbox("bash", command="echo first; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo last")
    assert said.startswith("first\nxxx")
    assert said.endswith("\nlast")
    assert "bytes cut here" in said


async def test_output_that_is_no_text_is_still_an_answer(toolbox: Toolbox) -> None:
    assert await toolbox("bash", command="printf 'a\\xff\\0\\x1bb\\n'") == "a\ufffd\x1bb"


async def test_memory_files_and_descriptors_are_limited(toolbox: Toolbox) -> None:
    limits = await toolbox("bash", command="ulimit -c; ulimit -n; ulimit -v")
    assert limits.split() == ["0", "256", str(1024 * 1024)]


async def test_cancelling_a_call_kills_its_command(toolbox: Toolbox, root: Path) -> None:
    mark = marker()
    escape = ESCAPE.format(mark=mark)
    call = asyncio.create_task(toolbox("bash", command=f"{escape} touch begun; sleep {mark}"))
    await until((root / "begun").exists)
    await until(lambda: len(sleepers(mark)) == 2)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert sleepers(mark) == []
    assert await toolbox("bash", command="echo still here") == "still here"


async def test_a_killed_host_takes_its_commands_along_and_is_replaced(toolbox: Toolbox, root: Path) -> None:
    mark = marker()
    call = asyncio.create_task(toolbox("bash", command=f"echo $PPID > supervisor; setsid sleep {mark}"))
    await until(lambda: len(sleepers(mark)) == 1)
    supervisor = int((root / "supervisor").read_text())
    host = int(Path(f"/proc/{supervisor}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(host, 9)
    with pytest.raises(ToolError, match=r"the tool process ended \(signal 9\)"):
        await call
    await until(lambda: sleepers(mark) == [])
    assert await toolbox("bash", command="echo back") == "back"


async def test_a_timeout_beyond_the_most_is_cut_to_it(hosts: ToolHosts, toolbox: Toolbox) -> None:
    with pytest.raises(ToolError, match="timeout"):
        await toolbox("bash", command="true", timeout=0)
    assert await toolbox("bash", command="echo yes", timeout=99999) == "yes"


def test_where_there_is_no_proc_the_commands_group_is_killed(tmp_path: Path) -> None:
    mark = marker()
    script = (
        "import os, pathlib\n"
        "from picklebot.toolhost import family\n"
        f"command = ['bash', '-c', 'sleep {mark} & sleep {mark}']\n"
        "pid = os.posix_spawn('/bin/bash', command, os.environ, setsid=True)\n"
        f"print(family.end_all(pid, proc=pathlib.Path({str(tmp_path)!r})))\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=False)
    assert (ended.stdout, ended.stderr) == ("0\n", "")
    assert sleepers(mark) == []
