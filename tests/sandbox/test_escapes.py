"""Ways out that have worked elsewhere, each tried for real from inside."""

import asyncio
import contextlib
import os
import socket
from pathlib import Path

import pytest

from picklebot.errors import ToolError
from tests.sandbox.racing import PYTHON, race
from tests.tools.conftest import Toolbox, marker, sleepers, until


def python(*lines: str) -> str:
    """Return a command that runs a program."""
    return f"{PYTHON} - <<'EOF' 2>&1 | tail -n 1\n" + "\n".join(lines) + "\nEOF"


async def test_the_workspace_is_there_and_writable(toolbox: Toolbox, root: Path) -> None:
    (root / "bed").mkdir()
    assert await toolbox("bash", command="cat notes.md; echo mint >> notes.md; echo thyme > bed/a") == "basil"
    assert (root / "notes.md").read_text() == "basil\nmint\n"
    assert (root / "bed" / "a").read_text() == "thyme\n"
    assert "thyme" in await toolbox("read_file", path="bed/a")
    await toolbox("write_file", path="new.md", content="sage")
    assert (root / "new.md").read_text() == "sage"


async def test_only_bubblewrap_lets_a_command_make_something_new_at_the_top(
    toolbox: Toolbox, root: Path, kind: str
) -> None:
    said = await toolbox("bash", command="mkdir bed 2>&1 && chmod 700 bed 2>&1")
    assert (root / "bed").exists() == (kind == "bubblewrap")
    assert ("ermission denied" in said) == (kind == "landlock")


@pytest.mark.parametrize(
    "path",
    [
        "{root}/.env",
        "{root}/.picklebot/token",
        "{root}/../outside",
        "/proc/self/root/proc/{pid}/environ",
        "/proc/{pid}/environ",
        "/etc/shadow",
        "~/.ssh/id_ed25519",
        "{home}/.ssh/authorized_keys",
        "/var/log/dpkg.log",
        "/proc/{pid}/root{root}/.env",
    ],
)
async def test_what_is_outside_cannot_be_read(toolbox: Toolbox, root: Path, path: str) -> None:
    named = path.format(root=root, pid=os.getpid(), home=Path.home())
    said = await toolbox("bash", command=f"cat {named} 2>&1; ln -s {named} link; cat link; true")
    assert "0123456789" not in said
    assert "ANTHROPIC" not in said
    assert "root:" not in said
    assert said == "(no output)" or "No such file" in said or "ermission denied" in said


@pytest.mark.parametrize(
    "path",
    [
        "config.yaml",
        "agents/pickle/AGENT.md",
        "agents/new/AGENT.md",
        "AGENTS.md",
        "tools/mine.py",
        ".env",
        ".git/hooks/pre-commit",
        ".git/config",
    ],
)
async def test_what_steers_picklebot_or_git_cannot_be_written(toolbox: Toolbox, root: Path, path: str) -> None:
    before = (root / path).read_text() if (root / path).exists() else ""
    await toolbox(
        "bash",
        command=f"mkdir -p $(dirname {path}); echo evil >> {path}; echo evil > x; mv -f x {path}; rm -rf {path}; "
        f"mv {path} {path}.old; ln -sf x {path}; rm -rf $(dirname {path}); true",
    )
    assert ((root / path).read_text() if (root / path).exists() else "") == before
    assert (root / "config.yaml").exists()


async def test_notes_are_read_by_any_way_and_written_by_none(toolbox: Toolbox, root: Path) -> None:
    """What stands among them is believed: it comes there by the tools that write down who said it."""
    notes, note = root / "memories", root / "memories" / "topics" / "tea.md"
    note.parent.mkdir(parents=True)
    note.write_text("She prefers Assam.\n")
    (root / "way").symlink_to("memories/topics")
    (root / "bed").mkdir()
    said = await toolbox(
        "bash",
        command="cat way/tea.md; exec 2>/dev/null; for f in memories/topics/tea.md way/tea.md bed/../way/new.md "
        "memories/new.md; do echo evil >> $f; rm -f $f; done; ln memories/topics/tea.md bed/twin && echo evil >> bed/twin; "
        "echo evil > bed/x; ln bed/x memories/topics/y.md; mv bed/x memories/topics/z.md; mv memories/topics bed; "
        "mv memories bed/old; mkdir -p memories/topics memories/quarantine; rm -rf memories; mount --bind bed memories; true",
    )
    assert said == "She prefers Assam."
    for path in ("memories/topics/tea.md", "way/tea.md", "way/new.md", "bed/../memories/new.md", "Memories/a/b.md"):
        with pytest.raises(ToolError, match="save_memory"):
            await toolbox("write_file", path=path, content="evil")
    with pytest.raises(ToolError, match="save_memory"):
        await toolbox("edit_file", path="way/tea.md", old="Assam", new="evil")
    assert "Assam" in await toolbox("read_file", path="way/tea.md")
    assert sorted(path.relative_to(notes).as_posix() for path in notes.rglob("*")) == ["topics", "topics/tea.md"]
    assert note.read_text() == "She prefers Assam.\n"


async def test_a_file_that_its_owner_replaced_is_fixed_again(toolbox: Toolbox, root: Path) -> None:
    """Editors write a new file and rename it: the next call sees to it that the new one is as fixed as the old."""
    await toolbox("bash", command="true")
    (root / "new").write_text("default_agent: cookie\n")
    (root / "new").replace(root / "config.yaml")
    await toolbox("bash", command="echo evil > config.yaml; true")
    assert (root / "config.yaml").read_text() == "default_agent: cookie\n"


async def test_what_steers_picklebot_through_a_link_is_not_risked(toolbox: Toolbox, root: Path, tmp_path: Path) -> None:
    (root / "config.yaml").rename(tmp_path / "config.yaml")
    (root / "config.yaml").symlink_to(tmp_path / "config.yaml")
    with pytest.raises(ToolError, match=r"config\.yaml is a symbolic link"):
        await toolbox("bash", command="true")


async def test_nothing_is_written_outside(toolbox: Toolbox, root: Path, tmp_path: Path) -> None:
    await toolbox(
        "bash",
        command=f"echo evil > {tmp_path}/outside; echo evil > /usr/evil; echo evil > {tmp_path}/evil; "
        f"echo evil > /tmp/evil; echo evil > ~/.bashrc; ln -s {tmp_path}/outside l; echo evil > l; true",
    )
    assert (tmp_path / "outside").read_text() == "o-0123456789"
    assert not (tmp_path / "evil").exists()
    assert not Path("/usr/evil").exists()
    assert not Path("/tmp/evil").exists()


async def test_no_network_is_reached(toolbox: Toolbox, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "s"))
        unix.listen()
        tcp.settimeout(0.2)
        port = tcp.getsockname()[1]
        for made in (
            f"socket.create_connection(('127.0.0.1', {port}), 1)",
            "socket.create_connection(('192.0.2.1', 80), 1)",
            "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
            "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
            f"socket.socket(socket.AF_UNIX).connect('{tmp_path / 's'}')",
            "socket.socket(40, socket.SOCK_STREAM)",
            "socket.getaddrinfo('example.com', 80)",
        ):
            said = await toolbox("bash", command=python("import socket", made))
            assert "Error" in said or "failure" in said, made
        with pytest.raises(TimeoutError):
            tcp.accept()
    assert "denied" in await toolbox("bash", command=f"exec 3<>/dev/tcp/127.0.0.1/{port}; true")


@pytest.mark.parametrize(
    "call", ["unshare(0x10000000)", "unshare(0x20000)", "ptrace(0, 0, 0, 0)", "mount(b'a', b'/tmp', b'tmpfs', 0, 0)", "chroot(b'/tmp')",
             "syscall(321, 0, 0, 0)", "syscall(425, 1, 0)", "syscall(250, 0, 0)", "syscall(435, 0, 0)", "syscall(0x40000000 + 39)", "setns(0, 0)"]
)  # fmt: skip
async def test_system_calls_that_lead_out_are_refused(toolbox: Toolbox, call: str) -> None:
    said = await toolbox("bash", command=python("import ctypes", "libc = ctypes.CDLL(None)", f"print(libc.{call})"))
    assert said == "-1"


async def test_typing_for_the_terminal_is_refused(toolbox: Toolbox) -> None:
    said = await toolbox(
        "bash", command=python("import fcntl, pty", "m, s = pty.openpty()", "fcntl.ioctl(s, 0x5412, b'x')")
    )
    assert "PermissionError" in said or "not permitted" in said or "out of pty devices" in said


async def test_no_process_outside_is_seen_or_signalled(toolbox: Toolbox, kind: str) -> None:
    said = await toolbox("bash", command=f"ls /proc 2>&1 | grep -c '^[0-9]'; kill -0 {os.getpid()} 2>&1; true")
    count, *words = said.splitlines()
    assert int(count) < 12
    assert "No such process" in words[0] or "not permitted" in words[0]
    mark = marker()
    outside = await asyncio.create_subprocess_exec("sleep", mark)
    # A broken wall would let the second kill everything that the tests' own user runs: it is tried in a namespace only.
    deadly = "-1" if kind == "bubblewrap" else str(outside.pid)
    with contextlib.suppress(ToolError):  # it may end the tool process, and all else that is inside
        await toolbox("bash", command=f"kill -9 {deadly}")
    assert outside.returncode is None
    outside.kill()
    await outside.wait()
    assert await toolbox("bash", command="echo fine") == "fine"


async def test_nothing_survives_its_call_not_even_by_setsid(toolbox: Toolbox) -> None:
    mark = marker()
    await toolbox("bash", command=f"setsid -f sleep {mark}; (setsid sleep {mark} & disown); nohup sleep {mark} & true")
    await until(lambda: not sleepers(mark))


async def test_a_fork_bomb_ends_with_its_call(toolbox: Toolbox) -> None:
    try:
        said = await toolbox("bash", command="bomb() { bomb | bomb & }; bomb; sleep 20", timeout=20)
    except ToolError as exc:
        said = str(exc)
    assert "very many processes" in said or "more than 256 processes" in said
    assert await toolbox("bash", command="echo fine") == "fine"


async def test_memory_is_bounded_for_all_processes_of_a_call_together(toolbox: Toolbox) -> None:
    greedy = python("x = bytearray(10 << 30)")
    assert "MemoryError" in await toolbox("bash", command=greedy)
    hold = f'{PYTHON} -c "import time; x = bytearray(300 << 20); time.sleep(20)"'
    said = await toolbox("bash", command=" & ".join([hold] * 4) + "; wait", timeout=20)
    assert "memory" in said


@pytest.mark.parametrize("place", ["/tmp", "/dev/shm", "/dev", "/", "/run", "/var/tmp"])
async def test_files_in_memory_are_bounded_too(toolbox: Toolbox, place: str) -> None:
    filling = f"for n in 1 2 3; do head -c 400000000 /dev/zero > {place}/$n; done 2>&1; cat {place}/? | wc -c; rm -f {place}/?"
    said = await toolbox("bash", command=filling)
    assert int(said.splitlines()[-1]) <= 512 * 1024 * 1024


@pytest.mark.parametrize("name", [".ssh/id_ed25519", ".aws/credentials", ".netrc"])
async def test_a_workspace_that_is_a_home_shows_no_keys(toolbox: Toolbox, root: Path, name: str) -> None:
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text("k-0123456789")
    said = await toolbox("bash", command=f"cat {name} 2>&1; echo x >> {name}; true")
    assert "0123456789" not in said
    assert (root / name).read_text() == "k-0123456789"
    with pytest.raises(ToolError):
        await toolbox("read_file", path=name)


async def test_endless_output_is_bounded(toolbox: Toolbox) -> None:
    said = await toolbox("bash", command="yes", timeout=20)
    assert "bytes of output" in said
    assert len(said) < 1_100_000


async def test_the_environment_holds_no_secret_and_no_home(toolbox: Toolbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k-0123456789")
    said = await toolbox("bash", command="env; cat /proc/*/environ | tr '\\0' '\\n'; echo ~")
    assert "0123456789" not in said
    assert str(Path.home()) not in said


async def test_what_is_swapped_all_the_time_never_leads_outside(kind: str, tmp_path: Path) -> None:
    """For a second; `python -m tests.campaign --only race` takes a minute for each."""
    raced = await race(kind, tmp_path, 1.0)
    assert raced.escapes == []
    assert raced.flips > 1_000
    assert raced.served
    assert raced.starts


async def test_links_that_a_command_leaves_behind_show_the_next_process_nothing(
    toolbox: Toolbox, root: Path, tmp_path: Path
) -> None:
    """Relative, and just so long that they lead to the same place outside and where the mounts are made."""
    (root / ".git").rename(root / "git")
    (root / "bed").mkdir()
    outside = str(tmp_path).lstrip("/")
    for name, place in ((".vscode", ""), (".git", "tmp"), (".idea", "etc"), (".ssh", "tmp"), ("bed/.git", outside)):
        (root / name).symlink_to("../" * (len((root / name).parts) - 2) + place)
    said = await toolbox(
        "bash", command=f"cat {tmp_path}/outside .vscode/{outside}/outside bed/.git/outside; ls /home; echo fine"
    )
    assert said.endswith("fine")
    assert "0123456789" not in said
    assert said.count("No such file") + said.count("ermission denied") >= 3


async def test_a_checkout_below_the_top_is_as_fixed_as_one_at_it(toolbox: Toolbox, root: Path, kind: str) -> None:
    kept = {
        "bed/rose/.git/config": "[core]",
        "bed/rose/.git/hooks/pre-commit": "exit 0",
        "bed/tree/.git": "gitdir: ../../.git/worktrees/tree",
        "bed/rose/.envrc": "true",
    }
    for path, content in kept.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)
    (root / "bed" / "rose" / "src").mkdir()
    evil = "; ".join(f"echo evil >> {path}; rm -rf {path}; mv {path} x; ln -sfT x {path}" for path in kept)
    made = "mkdir -p bed/rose/.git/hooks; echo evil > bed/rose/.git/hooks/post-checkout; mv bed/rose/.git bed/rose/x"
    await toolbox("bash", command=f"({evil}; {made}) 2>&1; echo fine > bed/rose/src/a; true")
    assert {path: (root / path).read_text() for path in kept} == kept
    assert not (root / "bed/rose/.git/hooks/post-checkout").exists()
    assert (root / "bed/rose/src/a").read_text() == "fine\n"
    said = await toolbox("bash", command="touch bed/rose/new 2>&1; mv bed/rose bed/thorn 2>&1; true")
    assert ("ermission denied" in said) == (kind == "landlock")
