"""Which names the gateway answers to: exact, port included.

A browser that was led here by a name of somebody else's (DNS rebinding) says that name in `Host`, and a page of
somebody else's says where it is from in `Origin`: both are refused. Promises no guess: no prefix, suffix or pattern.
"""

from collections.abc import Sequence

from picklebot.gateway.refusals import Refused
from picklebot.settings.values import is_loopback

_LOCAL = ("127.0.0.1", "localhost", "[::1]")
_HTTP = 80


class Names:
    """The names of one gateway. `further` are those that a proxy before it is called by, as its visitors spell them."""

    def __init__(self, host: str, port: int, further: Sequence[str] = ()) -> None:
        self._port = port
        self._proxies = frozenset(name.lower() for name in further)
        bare = host.strip("[]").lower()
        own = f"[{bare}]" if ":" in bare else bare
        local = _LOCAL if is_loopback(host) or bare in {"0.0.0.0", "::"} else ()  # noqa: S104  # asked about, not listened on
        self._hosts = frozenset(spelled for name in (*local, own) for spelled in self._spelled(name)) | self._proxies

    def check_host(self, given: Sequence[str], arrived_at: str | None) -> str:
        """Return the one `Host` of a request; `arrived_at` is the address of ours that it reached.

        Raises:
            Refused: it is missing, doubled, or not one of ours.
        """
        if len(given) == 1:
            host = given[0].lower()
            if host in self._hosts or (arrived_at is not None and host in self._spelled(_literal(arrived_at))):
                return host
        raise Refused(421, "misdirected", "this gateway does not answer to that Host; gateway.allow_hosts names more")

    def check_origin(self, given: Sequence[str], host: str) -> bool:
        """Return whether a browser says that a page of this very gateway asks; False: no browser says anything.

        Raises:
            Refused: a page of somebody else's asks.
        """
        if not given:
            return False
        schemes = ("http", "https") if host in self._proxies else ("http",)
        if len(given) != 1 or given[0] not in {f"{scheme}://{host}" for scheme in schemes}:
            raise Refused(403, "foreign_origin", "pages of other places may not speak to this gateway")
        return True

    def _spelled(self, name: str) -> tuple[str, ...]:
        """Return a name with our port; browsers leave the port of HTTP out."""
        return (name, f"{name}:{self._port}") if self._port == _HTTP else (f"{name}:{self._port}",)


def _literal(address: str) -> str:
    return f"[{address}]" if ":" in address else address
