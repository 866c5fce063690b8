"""Servers of further tools, made from settings. Their client is loaded when the first of them is spoken to."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import cast

from picklebot.clock import Clock, SystemClock
from picklebot.config import Config
from picklebot.errors import ConfigError
from picklebot.mcp.base import Dialled, ServerTrouble, Target
from picklebot.mcp.pins import Pins
from picklebot.mcp.server import Server
from picklebot.mcp.tools import create_mcp_tools
from picklebot.plugins import load
from picklebot.settings import McpServerSettings
from picklebot.tools.base import Tool

logger = logging.getLogger(__name__)

FIRST_SIGHT = 20.0  #: seconds that a server which was never seen may take to say what it offers


@asynccontextmanager
async def open_mcp(config: Config, clock: Clock, *, at_once: bool) -> AsyncGenerator[Sequence[Tool], None]:
    """Offer the tools of every server that is enabled, for as long as the block lasts.

    `at_once`: connect now, and not at the first call.

    Raises:
        ConfigError: a secret that one needs is not there, or the file of what was let in is damaged.
    """
    pins = pins_of(config)
    servers = [Server(target, pins=pins, dial=dial, clock=clock) for target in targets(config)]
    if not servers:
        yield ()
        return
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(server.run(), name=f"mcp server {server.name}") for server in servers]
        for server in servers if at_once else ():
            server.want()
        offered = await asyncio.gather(*(_tools(server) for server in servers))
        try:
            yield [tool for tools in offered for tool in tools]
        finally:
            for task in tasks:
                task.cancel()


async def _tools(server: Server) -> Sequence[Tool]:
    try:
        async with asyncio.timeout(FIRST_SIGHT):
            return create_mcp_tools(server.name, await server.offers(), server)
    except (ServerTrouble, TimeoutError) as exc:
        words = str(exc) or f"it took longer than {FIRST_SIGHT:g} s"
        logger.warning("mcp server %s was never seen and offers nothing until the next start: %s", server.name, words)
        return ()


def pins_of(config: Config) -> Pins:
    """Return what was let in of each server."""
    return Pins(config.workspace.state / "mcp.json")


def known_tools(config: Config) -> list[Tool]:
    """Return the tools that were let in, to be looked at and not to be run."""
    pins, clock = pins_of(config), SystemClock()
    found: list[Tool] = []
    for name, settings in sorted(config.mcp_servers.items()):
        if settings.enabled:
            server = Server(Target(name=name), pins=pins, dial=dial, clock=clock)
            found += create_mcp_tools(name, pins.of(name) or (), server)
    return found


def targets(config: Config) -> list[Target]:
    """Return the servers that are enabled.

    Raises:
        ConfigError: a secret that one needs is not there.
    """
    return [
        _target(config, name, settings) for name, settings in sorted(config.mcp_servers.items()) if settings.enabled
    ]


def _target(config: Config, name: str, settings: McpServerSettings) -> Target:
    return Target(
        name=name,
        command=settings.command or (),
        environment={each: _needed(config, each, f"mcp_servers.{name}.env") for each in settings.env},
        folder=config.workspace.root if settings.command else None,
        url=settings.url,
        token=_needed(config, settings.token_env, f"mcp_servers.{name}.token_env") if settings.token_env else None,
        timeout=settings.timeout,
    )


def _needed(config: Config, variable: str, setting: str) -> str:
    secret = config.secret(variable)
    if secret is None:
        raise ConfigError(f"{setting}: {variable} is neither in the environment nor in .env")
    return secret


@asynccontextmanager
async def dial(target: Target) -> AsyncGenerator[Dialled, None]:
    """Connect with the vendor's client, which is loaded in a thread the first time: it takes a second.

    Raises:
        ServerTrouble: the extra `mcp` is not installed, or as `picklebot.mcp.sdk.dial` says.
    """
    try:
        opened = await asyncio.to_thread(load, "picklebot.mcp.sdk:dial", target=target)
    except ConfigError as exc:
        raise ServerTrouble(f"{exc}: pip install 'picklebot[mcp]'") from exc
    async with cast("AbstractAsyncContextManager[Dialled]", opened) as line:
        yield line
