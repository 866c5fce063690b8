"""Nothing but loopback: a process that has called `confine` cannot speak to another machine.

Works by the interpreter's audit events, so it sees every socket however it was made, and name lookups too. What is
refused is also written down, because code under test may swallow the refusal. Does not reach into child processes:
these call `confine` themselves.
"""

import ipaddress
import socket
import sys
from collections.abc import Callable
from typing import Any

_FAMILIES = {socket.AF_INET, socket.AF_INET6}
_CALLS = {"socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg"}
_NEVER = (".invalid", ".test", ".example")  # RFC 2606: nobody answers, so nobody needs to be asked


class NetworkRefused(BaseException):
    """Code tried to leave this machine. Not an `Exception`, so that no retry mistakes it for trouble."""


def _is_here(host: object) -> bool:
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if not isinstance(host, str):
        return host is None
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _is_literal(host: object) -> bool:
    try:
        ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        return False
    return True


def _refusal(event: str, arguments: tuple[Any, ...]) -> str | None:
    if event in _CALLS:
        sock, address = arguments[0], arguments[1]
        if sock.family not in _FAMILIES or address is None or _is_here(address[0]):
            return None
        return f"{event[7:]} to {address!r}"
    if event == "socket.getaddrinfo":
        host = arguments[0]
        if host in (None, "", b"") or _is_here(host) or _is_literal(host):
            return None
        if str(host).endswith(_NEVER):
            raise socket.gaierror(socket.EAI_NONAME, f"{host!r} is a name that nobody has")
        return f"a lookup of {host!r}"
    return None


def confine(refused: Callable[[str], None] = lambda what: None) -> None:
    """Refuse, for the rest of this process, every socket but loopback ones; tell `refused` what was tried."""

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith("socket."):
            what = _refusal(event, arguments)
            if what is not None:
                refused(what)
                raise NetworkRefused(f"{what}: only this machine may be reached here")

    sys.addaudithook(watch)
