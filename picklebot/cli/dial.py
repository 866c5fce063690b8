"""Calls the daemon that runs in this workspace: one attempt, and a sentence for each way in which it can fail.

Knows no conversation.
"""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from picklebot.config import Config
from picklebot.errors import ConfigError, DaemonAway, PicklebotError, Transient
from picklebot.gateway.terminals.frames import PATH, PROTOCOL, BadFrame, parse, spell
from picklebot.lock import JOINABLE, Holder, holder_of

ANSWER_SECONDS = 10.0  #: for the connection and for the daemon's first word
_MAX_TOKEN = 4096


class Unreachable(Transient):
    """Nobody answers now; the daemon may be on its way back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """A connection to a daemon, and how it introduced itself."""

    connection: ClientConnection
    pid: int
    notices: tuple[str, ...]


async def dial(config: Config, user: str) -> Joining:
    """Join the daemon of this workspace.

    Raises:
        Unreachable: there is none now, or it does not answer; it may in a moment.
        ConfigError: it does not take our token.
        DaemonAway: something else answers in its place.
        PicklebotError: it is of another version.
    """
    workspace = config.workspace
    holder = holder_of(workspace.lock_file, workspace.daemon_file)
    if holder is None or holder.role not in JOINABLE:
        raise Unreachable("no daemon runs in this workspace")
    if holder.url is None:
        raise Unreachable(f"the daemon (process {holder.pid}) does not listen yet")
    connection = await _connect(holder, holder.url, token_of(config))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(connection.close)
        joining = await _greet(connection, holder, user)
        stack.pop_all()  # it is the caller's now
        return joining


async def _connect(holder: Holder, url: str, token: str) -> ClientConnection:
    who = f"the daemon (process {holder.pid})"
    try:
        return await connect(
            url.replace("http", "ws", 1).rstrip("/") + PATH,
            additional_headers={"Authorization": f"Bearer {token}"},
            compression=None,
            proxy=None,  # whatever the environment says: it is the same machine
            max_size=None,
            open_timeout=ANSWER_SECONDS,
            close_timeout=1.0,
        )
    except InvalidStatus as exc:
        raise _refused(exc.response.status_code, who, url) from exc
    except TimeoutError as exc:
        words = f"{who} runs, and does not answer at {url} within {ANSWER_SECONDS:.0f} s: it may hang"
        raise Unreachable(words) from exc
    except (InvalidHandshake, InvalidURI, ValueError) as exc:
        if isinstance(exc.__cause__, EOFError):  # it was about to end
            raise Unreachable(f"{who} hung up") from exc
        raise _foreign(who, url) from exc
    except OSError as exc:
        raise Unreachable(f"{who} does not answer at {url}: {exc.strerror or exc}") from exc


async def _greet(connection: ClientConnection, holder: Holder, user: str) -> Joining:
    who = f"the daemon (process {holder.pid})"
    try:
        await connection.send(spell({"type": "hello", "protocol": PROTOCOL, "user": user}))
        frame = parse(await _word(connection, who))
    except BadFrame as exc:
        raise _foreign(who, holder.url or "") from exc
    except ConnectionClosed as exc:
        raise Unreachable(f"{who} hung up") from exc
    if frame["type"] != "welcome":
        raise _foreign(who, holder.url or "")
    if frame.get("protocol") != PROTOCOL:
        raise PicklebotError(
            f"{who} is picklebot {str(frame.get('version'))[:20]}, and this one cannot talk to it: "
            "restart the daemon with this version, or use the version that it has"
        )
    notices: Any = frame.get("notices")
    return Joining(connection=connection, pid=holder.pid, notices=tuple(str(notice) for notice in notices or ()))


async def _word(connection: ClientConnection, who: str) -> str | bytes:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await connection.recv()
    except TimeoutError as exc:
        raise Unreachable(f"{who} took the call, and says nothing for {ANSWER_SECONDS:.0f} s: it may hang") from exc


def _refused(status: int, who: str, url: str) -> PicklebotError:
    match status:
        case 401:
            return ConfigError(
                f"{who} does not take our token: it was started with another one. Is gateway.token_env set for one of "
                "the two only?"
            )
        case 404:
            return PicklebotError(
                f"{who} is of another version of picklebot, and cannot be joined: restart it with this one"
            )
        case 429 | 503:
            return Unreachable(f"{who} is too busy to be joined now")
        case _:
            return DaemonAway(f"what answers at {url} with {status} in place of {who} is no picklebot")


def _foreign(who: str, url: str) -> DaemonAway:
    return DaemonAway(f"what answers at {url} in place of {who} is no picklebot: look who listens there")


def token_of(config: Config) -> str:
    """Return the token of this workspace's daemon.

    Raises:
        ConfigError: it cannot be read.
    """
    variable = config.gateway.token_env
    if variable is not None:
        if token := config.secret(variable):
            return token
        raise ConfigError(f"gateway.token_env: {variable} is neither in the environment nor in .env")
    path = config.workspace.token_file
    try:
        with path.open("rb") as file:
            token = file.read(_MAX_TOKEN).decode("utf-8", "replace").strip()
    except OSError as exc:
        raise ConfigError(f"the daemon's token cannot be read from {path}: {exc.strerror}") from exc
    if not token.isascii() or not token:
        raise ConfigError(f"{path} holds no token: remove it and restart the daemon, which makes a new one")
    return token
