"""Whether a sandbox holds, found out by trying: a program inside attempts what it must not be able to do.

Promises that a sandbox which was not tried, or which let anything through, is not said to hold. What was found is
remembered for the life of the process only. Knows no mechanism: it is given a command line.
"""

import contextlib
import json
import os
import socket
import subprocess
import tempfile
import threading
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from picklebot.core.rights import Sandbox

SECONDS = 10.0


class Launcher(Protocol):
    """A launcher that can be looked around from."""

    def probe(self, root: Path) -> Sequence[str]:
        """Return the command line of the look around."""
        ...

    def environment(self, sandbox: Sandbox) -> Mapping[str, str]:
        """Return all that its environment holds."""
        ...


def look(launcher: Launcher, *, network: bool) -> Sequence[str]:
    """Return what a program inside could reach, in words; empty means that the sandbox holds.

    Blocks for a tenth of a second or so.
    """
    with tempfile.TemporaryDirectory(prefix="picklebot-probe-") as folder, _bait(Path(folder)) as given:
        try:
            done = subprocess.run(
                launcher.probe(Path(folder) / "workspace"),
                input=json.dumps({**given, "network": network}) + "\n",
                env=dict(launcher.environment("workspace")),
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as exc:
            return [f"it cannot be started: {exc}"]
        if done.returncode:
            return [f"it cannot be started: {done.stderr.strip()[-300:] or f'exit code {done.returncode}'}"]
        found: list[str] = json.loads(done.stdout)
        return sorted({*found, *_written(Path(folder))})


def _written(folder: Path) -> Sequence[str]:
    """Return what was changed outside; seen from outside, because inside a write may go to a place of its own."""
    root = folder / "workspace"
    changed = (root / "config.yaml").read_text() != "canary" or (root / "agents" / "new").exists()
    words = (("it writes files outside", (folder / "new").exists()), ("it writes what steers picklebot", changed))
    return [each for each, true in words if true]


@contextlib.contextmanager
def _bait(folder: Path) -> Generator[dict[str, Any], None, None]:
    """Lay out what must not be reached: files, sockets and a process outside, secrets and control files inside."""
    root = folder / "workspace"
    for path in (root / ".picklebot" / "token", root / ".env", root / "config.yaml", folder / "outside"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("canary")
    (root / "agents").mkdir()
    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(_echo())
        unix, abstract = str(folder / "socket"), f"picklebot-probe-{os.getpid()}-{os.urandom(4).hex()}"
        for address in (unix, "\0" + abstract):
            listening = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            listening.bind(address)
            listening.listen(4)
        datagrams = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        datagrams.bind(str(folder / "datagrams"))
        yield {
            "secrets": [str(each) for each in (folder / "outside", root / ".picklebot" / "token")],
            "hidden": [str(root / ".env")],
            "places": [str(each) for each in (folder / "new", root / "config.yaml", root / "agents" / "new")],
            "tcp": tcp.getsockname()[1],
            "udp": udp.getsockname()[1],
            "unix": unix,
            "unix-datagrams": str(folder / "datagrams"),
            "abstract": abstract,
            "pid": os.getpid(),
            "name": Path("/proc/self/cmdline").read_bytes().decode(errors="replace"),
        }


@contextlib.contextmanager
def _echo() -> Generator[socket.socket, None, None]:
    """Answer a packet, so that whoever could send one knows."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(SECONDS)

        def answer() -> None:
            with contextlib.suppress(OSError):
                _, sender = listening.recvfrom(1)
                listening.sendto(b"x", sender)

        thread = threading.Thread(target=answer, name="probe echo", daemon=True)
        thread.start()
        yield listening
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
            ending.sendto(b"x", listening.getsockname())
        thread.join(1)
