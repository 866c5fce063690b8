"""A look around from inside a sandbox: everything here must fail.

Promises to change nothing that matters where it succeeds. Knows no sandbox: it is told what it must not reach.
"""

import ctypes
import os
import socket
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

_FEW = 32  # processes in here, whose numbers begin at 1 where they have a namespace of their own


def leaks(given: Mapping[str, Any]) -> list[str]:
    """Return in words what could be reached of what `given` names."""
    return [words for words, attempt in _attempts(given) if _succeeds(attempt)]


def _attempts(given: Mapping[str, Any]) -> list[tuple[str, Callable[[], object]]]:
    attempts: list[tuple[str, Callable[[], object]]] = []
    for path in map(Path, given["secrets"]):
        attempts.append(("it reads files outside", path.read_bytes))  # noqa: PERF401
    for path in map(Path, given["hidden"]):
        attempts.append(("it reads the secrets of the workspace", partial(_read_canary, path)))  # noqa: PERF401
    for path in map(Path, given["places"]):
        _succeeds(partial(path.write_bytes, b"x"))  # judged from outside: here it may only seem so
    attempts += [
        ("it reaches TCP ports", lambda: _connect(socket.AF_INET, ("127.0.0.1", given["tcp"]))),
        ("it reaches unix sockets by their path", lambda: _connect(socket.AF_UNIX, given["unix"])),
        ("it reaches abstract unix sockets", lambda: _connect(socket.AF_UNIX, "\0" + given["abstract"])),
        ("it sends to unix sockets by their path", lambda: _send_beside(given["unix-datagrams"])),
        ("it sends UDP packets", lambda: _send(given["udp"])),
        ("it sees processes outside", lambda: _see(given["pid"], given["name"])),
        ("it signals processes outside", lambda: _signal(given["pid"])),
        ("it changes how the kernel works", partial(_open_to_write, "/proc/sys/kernel/core_pattern")),
        ("it makes namespaces", lambda: _system_call("unshare", 0x10000000)),  # CLONE_NEWUSER
        ("it traces processes", lambda: _system_call("ptrace", 0, 0, 0, 0)),  # PTRACE_TRACEME
    ]
    if given["network"]:
        attempts = [each for each in attempts if each[0] not in {"it reaches TCP ports", "it sends UDP packets"}]
    return attempts


def _succeeds(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (OSError, ValueError):
        return False
    return True


def _read_canary(path: Path) -> None:
    if b"canary" not in path.read_bytes():
        raise OSError("something else stands in its place")


def _open_to_write(path: str) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CLOEXEC))


def _connect(family: int, address: Any) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as made:
        made.settimeout(1)
        made.connect(address)


def _send(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.connect(("127.0.0.1", port))
        made.send(b"x")
        made.settimeout(0.5)
        made.recv(1)


def _send_beside(path: str) -> None:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, other:
        one.sendto(b"x", path)


def _see(pid: int, name: str) -> None:
    if name not in Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace"):
        raise OSError("another process has its number here")


def _signal(pid: int) -> None:
    if pid <= _FEW:
        raise OSError("one of ours may have the same number")
    os.kill(pid, 0)


def _system_call(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    child = os.fork()  # whatever it does to itself, it does there
    if not child:
        os._exit(0 if getattr(libc, name)(*(ctypes.c_long(each) for each in arguments)) >= 0 else 1)
    _, status = os.waitpid(child, 0)
    if status:
        raise OSError(name)
