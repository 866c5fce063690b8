"""Which addresses belong to the public internet, by a table of our own.

`ipaddress.is_global` is not asked: it calls NAT64, 6to4 and multicast addresses global, and differs from one Python to
the next. Promises that what is in no list is closed. Knows no name and no socket.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address

from picklebot.errors import ToolDenied
from picklebot.settings.web import USUAL_PORTS, Address, Permit

# The special-purpose registries of IANA (RFC 6890 and what followed), multicast, and one cloud's metadata service.
_CLOSED_V4: tuple[IPv4Network, ...] = tuple(
    IPv4Network(each)
    for each in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's host, behind a public number
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# Of IPv6 only this is handed out to anybody (RFC 4291), so that mapped, translated and local ones need no list.
_OPEN_V6 = IPv6Network("2000::/3")
_CLOSED_V6: tuple[IPv6Network, ...] = tuple(
    IPv6Network(each)
    for each in (
        "2001::/23",  # Teredo, ORCHID, benchmarks: protocols, no hosts
        "2001:db8::/32",
        "2002::/16",  # 6to4 holds any IPv4 address, private ones too
        "3fff::/20",
    )
)


def is_public(address: Address) -> bool:
    """Return whether anybody on the internet may have this address."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _CLOSED_V4)
    return address in _OPEN_V6 and not any(address in network for network in _CLOSED_V6)


class Reach:
    """Decides where a connection may go."""

    def __init__(self, permits: Sequence[Permit] = ()) -> None:
        self._permits = tuple(permits)

    def check(self, host: str, address: str, port: int) -> None:
        """Let `address`, to which `host` led, pass or not.

        Raises:
            ToolDenied: it is not public, and nobody opened it.
        """
        number = ip_address(address.partition("%")[0])
        if any(permit.covers(number, port) for permit in self._permits):
            return
        if not is_public(number):
            where = f"{host} is {address}, which" if host != address else f"{host}"
            raise ToolDenied(f"{where} is not on the public internet; web.allow in config.yaml opens single addresses")
        if port not in USUAL_PORTS:
            raise ToolDenied(f"port {port} of {host} is none of the web's (80 and 443)")
