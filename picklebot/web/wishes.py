"""What a program asks a proxy for: the first lines that it sends, and where they lead. Pure.

Promises that what is passed on names the host that was judged, and that what could be read in two ways is refused.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from picklebot.errors import ToolDenied

_LINE = re.compile(r"([A-Z]{1,20}) (\S{1,8000}) HTTP/1\.[01]")
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n]*)")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})*")
_OURS = frozenset({"host", "connection", "keep-alive", "te", "trailer", "upgrade"})  # and all that begins with "proxy-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A host and a port; and what is told it first, where that was no CONNECT."""

    host: str
    port: int
    opening: bytes = b""


def read_wish(head: bytes) -> Wish:
    """Return what the first lines of a connection ask for.

    Raises:
        ToolDenied: nothing that a proxy here does, and why.
    """
    if not head.isascii() or b"\0" in head:
        raise ToolDenied("a request to the proxy is ASCII")
    first, *fields = head.decode().removesuffix("\r\n\r\n").split("\r\n")
    line = _LINE.fullmatch(first)
    if line is None:
        raise ToolDenied("this is no request to a proxy, such as CONNECT example.com:443 HTTP/1.1")
    method, target = line.groups()
    if method == "CONNECT":
        host, _, port = target.rpartition(":")
        return Wish(host=_host(host), port=_port(port))
    return _plain(method, target, fields)


def _plain(method: str, target: str, fields: Sequence[str]) -> Wish:
    try:
        parts = urlsplit(target)
        port = parts.port or 80
    except ValueError as exc:
        raise ToolDenied(f"{target!r} is no address: {exc}") from exc
    if parts.scheme != "http" or parts.username is not None or parts.password is not None:
        raise ToolDenied("the proxy takes http://host/path, and CONNECT host:443 for https")
    host = _host(parts.hostname or "")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    where = host if port == 80 else f"{host}:{port}"
    lines = [f"{method} {path} HTTP/1.1", f"Host: {where}", "Connection: close", *_kept(fields)]
    return Wish(host=host, port=port, opening=("\r\n".join(lines) + "\r\n\r\n").encode())


def _kept(fields: Sequence[str]) -> Iterator[str]:
    """Yield the header without what is between the program and us."""
    for field in fields:
        found = _FIELD.fullmatch(field)
        if found is None:
            raise ToolDenied(f"{field[:80]!r} is no line of a header")
        name = found[1].lower()
        if name not in _OURS and not name.startswith("proxy-"):
            yield field


def _host(text: str) -> str:
    host = text.lower().removesuffix(".")
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        if _NAME.fullmatch(host):
            return host
        raise ToolDenied(f"{text[:80]!r} is no name of a host") from None
    raise ToolDenied(f"{host} is a number: only hosts that are named in sandbox.hosts are reached")


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65_536:
        raise ToolDenied(f"{text[:10]!r} is no port")
    return int(text)
