"""The port of the gateway, taken before the daemon begins.

Promises that a port which cannot be had is a wrong setting, said in words, and that the same one can be had again at
once after a restart. Nobody can connect to it before somebody listens. Loads nothing of the web.
"""

import socket

from picklebot.errors import ConfigError


def bind(host: str, port: int) -> socket.socket:
    """Return a socket on that address, which nobody can connect to yet; port 0 takes any free one.

    Raises:
        ConfigError: the address cannot be had.
    """
    try:
        [(family, _, _, _, address), *_] = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except OSError as exc:
        raise ConfigError(f"gateway.host: {host!r} is no address of this machine: {exc.strerror}") from exc
    # With its protocol named, and not 0, asyncio switches Nagle's algorithm off for what is accepted here: else each
    # answer, whose head and body are written apart, waits 40 ms for the other side to acknowledge the head.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setblocking(False)
        bound.bind(address)
    except OSError as exc:
        bound.close()
        raise ConfigError(
            f"gateway.port: {port} of {host} cannot be had ({exc.strerror}): set another one, 0 for any free one, "
            "or gateway.enabled: false"
        ) from exc
    return bound


def url_of(bound: socket.socket) -> str:
    """Return where that socket is, as a person of this machine would write it."""
    host, port = str(bound.getsockname()[0]), bound.getsockname()[1]
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # asked about, not listened on
    return f"http://[{near}]:{port}" if ":" in near else f"http://{near}:{port}"
