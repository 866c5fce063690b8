"""Ways out by what nobody had to be allowed: pairs of sockets, and files of the kernel's that root owns."""

import contextlib
import socket
from pathlib import Path

import pytest

from tests.sandbox.test_escapes import python
from tests.tools.conftest import Toolbox


async def test_no_setting_of_the_kernel_can_be_written_not_even_by_root(toolbox: Toolbox) -> None:
    """None is: they are opened, and nothing else."""
    opened = python(
        "import os",
        "found = []",
        "for top in ('/proc/sys', '/proc/irq', '/proc/bus', '/proc/fs', '/proc/acpi', '/proc/scsi'):",
        "    for folder, _, files in os.walk(top):",
        "        for name in files or ():",
        "            try:",
        "                os.close(os.open(os.path.join(folder, name), os.O_WRONLY | os.O_NONBLOCK))",
        "                found.append(os.path.join(folder, name))",
        "            except OSError:",
        "                pass",
        "print(found)",
    )
    assert await toolbox("bash", command=opened) == "[]"
    assert await toolbox("bash", command="echo fine > /dev/stdout; echo there > /dev/null") == "fine"


async def test_no_command_speaks_in_the_name_of_the_tool_process(toolbox: Toolbox) -> None:
    opened = python(
        "import os",
        "found = []",
        "for pid in range(1, 200):",
        "    for fd in (0, 1, *range(3, 20)):",
        "        try:",
        "            path = os.readlink(f'/proc/{pid}/fd/{fd}')",
        "        except OSError:",
        "            continue",
        "        if pid not in (os.getpid(), os.getppid()) and path.startswith('pipe'):",
        "            found.append((open(f'/proc/{pid}/comm').read().strip(), fd))",
        "print([each for each in found if each[0] not in ('bash', 'tail')])",
    )
    assert await toolbox("bash", command=opened) == "[]"


async def test_no_datagram_reaches_a_socket_with_a_path(toolbox: Toolbox, root: Path, tmp_path: Path) -> None:
    """A pair of sockets is one that nobody had to be allowed to make: the log and the init system listen so."""
    with contextlib.ExitStack() as stack:
        for folder in (root, tmp_path):
            listening = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
            listening.bind(str(folder / "d"))
            listening.setblocking(False)
            for kind in ("DGRAM", "RAW"):
                made = f"socket.socketpair(socket.AF_UNIX, socket.SOCK_{kind})[0].sendto(b'x', '{folder / 'd'}')"
                said = await toolbox("bash", command=python("import socket", made))
                assert "Error" in said, made
            with pytest.raises(BlockingIOError):
                listening.recv(1)
    ordinary = python("import socket", "a, b = socket.socketpair()", "a.send(b'x')", "print(b.recv(1))")
    assert await toolbox("bash", command=ordinary) == "b'x'"
