"""Connections that go where they were allowed to go, and nowhere else.

Promises that a name is looked up once for each request, that every address it has is checked before one is used, and
that the socket is connected to a checked address. No proxy is asked, whatever the environment says. Knows no page.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from picklebot.errors import ToolError
from picklebot.web.addresses import Reach

Lookup: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a name and a port to its addresses. `OSError`: there are none."""

MAX_HEADER = 16_384  #: bytes of one header
MAX_HEADERS = 100


class GuardedResolver(AbstractResolver):
    """Finds addresses, and refuses a name that has one which is closed."""

    def __init__(self, reach: Reach, lookup: Lookup) -> None:
        self._reach = reach
        self._lookup = lookup

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return every address of `host`, all of them checked.

        Raises:
            ToolDenied: one of them is closed.
            ToolError: there is none.
        """
        try:
            addresses = await self._lookup(host, port)
        except OSError as exc:
            raise ToolError(f"there is no host {host!r}, or its name cannot be looked up now") from exc
        for address in addresses:
            self._reach.check(host, address, port)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""


def open_client(reach: Reach, lookup: Lookup) -> aiohttp.ClientSession:
    """Return a client for one page: no cookies, no proxy, no redirects of its own, a connection for each request."""

    def checked_socket(where: tuple[Any, Any, int, str, tuple[Any, ...]]) -> socket.socket:
        family, kind, protocol, _, address = where
        reach.check(address[0], address[0], address[1])  # also hosts that are numbers, which nobody looks up
        return socket.socket(family, kind, protocol)

    connector = aiohttp.TCPConnector(
        resolver=GuardedResolver(reach, lookup),
        socket_factory=checked_socket,
        use_dns_cache=False,
        force_close=True,
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,  # it knows no bound
        max_line_size=MAX_HEADER,
        max_field_size=MAX_HEADER,
        max_headers=MAX_HEADERS,
        requote_redirect_url=False,
    )


async def look_up(host: str, port: int) -> Sequence[str]:
    """Ask the machine for the addresses of a name."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))
