"""The daemon's memory and environment are no other process's to read (S33), and its keys need not stand there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from picklebot.config import load
from picklebot.errors import ConfigError
from picklebot.workspace import Workspace
from tests.cli.running import environment, run
from tests.cli.serving import Server

SECRET = "sk-nobody-else-reads-this"
ANOTHER = 65534  # without the rights of root, which reads everything
SPY = f"""
import ctypes, os, sys
from pathlib import Path
from picklebot.privacy import PR_SET_DUMPABLE, keep_to_itself
libc = ctypes.CDLL(None, use_errno=True)
if os.geteuid() == 0:
    os.setresuid({ANOTHER}, {ANOTHER}, {ANOTHER})
libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # as a new program is
kept = sys.argv[1] == "closed" and keep_to_itself()
daemon, found = os.getpid(), []
if os.fork() == 0:
    for name in ("environ", "mem", "maps"):
        try:
            with open(f"/proc/{{daemon}}/{{name}}", "rb") as file:
                found.append(name if name != "environ" or {SECRET.encode()!r} in file.read() else "")
        except OSError:
            pass
    if libc.ptrace(0x4206, daemon, 0, 0) == 0:  # PTRACE_SEIZE: attached, and not stopped
        found.append("ptrace")
    print(*found)
    sys.stdout.flush()
    os._exit(0)
os.wait()
Path("/proc/self/status").read_text(), Path("/proc/self/stat").read_text(), os.listdir("/proc/self/fd")
print(kept)
"""


def spied_upon(how: str, *options: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, *options, "-c", SPY, how],
        env=environment(SOME_KEY=SECRET),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split("\n")[:2]


@pytest.mark.skipif(sys.platform != "linux", reason="a promise for Linux")
def test_another_process_of_the_same_user_reads_nothing_of_a_closed_one() -> None:
    seen, kept = spied_upon("open")
    assert {"environ", "mem", "maps"} <= set(seen.split()), "the spy is able to"
    assert kept == "False"
    assert spied_upon("closed") == ["", "True"]
    assert spied_upon("closed", "-X", "dev")[1] == "False", "a debugger is let in where it was asked for"


PROBE = """
import ctypes, sys
from pathlib import Path
from picklebot.tools.function import tool

with Path(__file__).with_suffix(".txt").open("a") as file:
    file.write(f"{ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)}")  # PR_GET_DUMPABLE

@tool
async def nothing() -> str:
    \"\"\"Do nothing.\"\"\"
    return ""
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a promise for Linux")
def test_the_daemon_in_whichever_program_is_closed_before_anything_of_theirs_is_loaded(workspace: Path) -> None:
    (workspace / "tools").mkdir()
    (workspace / "tools" / "probe.py").write_text(PROBE)
    with (workspace / "config.yaml").open("a") as file:
        file.write("tools: {local: true}\n")
    assert run(workspace, "ask", "hello").returncode == 0
    server = Server(workspace)
    server.start()
    server.stop()
    gateway = {"PICKLEBOT_GATEWAY__ENABLED": "true", "PICKLEBOT_GATEWAY__PORT": "0"}
    assert run(workspace, "mcp", **gateway).returncode == 0, "its program has left at once"
    assert (workspace / "tools" / "probe.txt").read_text() == "000"


def test_a_secret_may_be_a_credential_of_the_service_manager(workspace: Path, tmp_path: Path) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "ANTHROPIC_API_KEY").write_text(f"{SECRET}\n")
    (folder / "BRAVE_API_KEY").write_text("from the credential")
    (folder / "some.other-credential").write_bytes(os.urandom(64))
    (folder / "EVIL_BASE_URL").write_text("https://example.org")
    (workspace / ".env").write_text("BRAVE_API_KEY=from the file\n")
    (workspace / ".env").chmod(0o600)
    config = load(Workspace(workspace), {"CREDENTIALS_DIRECTORY": str(folder)})
    assert config.secret("ANTHROPIC_API_KEY") == SECRET
    assert config.secret("BRAVE_API_KEY") == "from the credential"
    assert config.secret("EVIL_BASE_URL") is None
    assert SECRET in config.known_secrets(), "and is taken out of the log"
    [warning] = config.warnings
    assert "EVIL_BASE_URL is not read as a secret: addresses belong" in warning
    over = load(Workspace(workspace), {"CREDENTIALS_DIRECTORY": str(folder), "ANTHROPIC_API_KEY": "of today"})
    assert over.secret("ANTHROPIC_API_KEY") == "of today"
    with pytest.raises(ConfigError, match=r"CREDENTIALS_DIRECTORY: .* cannot be read"):
        load(Workspace(workspace), {"CREDENTIALS_DIRECTORY": str(tmp_path / "none")})
