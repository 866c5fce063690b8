"""`picklebot mcp`: the daemon as an MCP server for programs that bring a model of their own.

Promises that stdout carries nothing but the protocol, and that stderr says which daemon answers.
"""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import Any, Protocol, cast

from picklebot.cli.beside import LEAVING
from picklebot.cli.calling import OK
from picklebot.cli.mcp.api import Api, open_client
from picklebot.cli.mcp.asking import Asking
from picklebot.cli.mcp.home import Home
from picklebot.cli.mcp.tools import Offered, Toolbox
from picklebot.cli.quiet import log_to_file
from picklebot.config import Config
from picklebot.errors import ConfigError, Transient
from picklebot.plugins import load
from picklebot.privacy import keep_to_itself


class _Desk(Protocol):
    def serve(self) -> Coroutine[Any, Any, None]: ...


def mcp(*, config: Config) -> int:
    """Serve the program on the other side of stdin and stdout until it leaves.

    Raises:
        ConfigError: the extra `mcp` is not there, or no daemon can be.
    """
    if not config.gateway.enabled:
        raise ConfigError("gateway.enabled is false, and `picklebot mcp` speaks to its daemon through the gateway")
    log_to_file(config)
    keep_to_itself()  # it may become the daemon
    return asyncio.run(_serve(config))


async def _serve(config: Config) -> int:
    async with open_client() as client, asyncio.TaskGroup() as group:
        home = Home(config, group, tell=_say)
        api = Api(home, client)
        asking = Asking(api, group)
        desk = await _desk(Toolbox(api, asking).tools())
        await _greet(home)
        code = await _until_left(group.create_task(desk.serve(), name="mcp"), asking)
        home.leave()
    return code


async def _until_left(serving: asyncio.Task[None], asking: Asking) -> int:
    """Wait until the program hangs up, or a signal says so; return the exit code."""
    loop, left = asyncio.get_running_loop(), list[int]()

    def leave(number: signal.Signals) -> None:
        left.append(128 + number)
        asking.leave()
        serving.cancel()

    for number in LEAVING:
        loop.add_signal_handler(number, leave, number)
    await asyncio.wait({serving})
    for number in LEAVING:
        loop.remove_signal_handler(number)  # from here on, the next one ends the program at once
    return left[0] if left else OK


async def _desk(tools: list[Offered]) -> _Desk:
    try:
        return cast("_Desk", await asyncio.to_thread(load, "picklebot.cli.mcp.serve:Desk", tools=tools))
    except ConfigError as exc:
        raise ConfigError(f"{exc}: pip install 'picklebot[mcp]'") from exc


async def _greet(home: Home) -> None:
    """Find the daemon now, so that what is wrong is said before anybody asks.

    Raises:
        PicklebotError: there will be none.
    """
    try:
        await home.find()
    except Transient as exc:
        _say(f"{exc}; each call tries again")


def _say(words: str) -> None:
    print(f"picklebot mcp: {words}", file=sys.stderr, flush=True)
