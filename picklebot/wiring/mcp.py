"""Servers of further tools, made from settings. Their client is loaded when the first of them is spoken to."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import cast

from picklebot.clock import Clock, SystemClock
from picklebot.config import Config
from picklebot.core.proposals import visible
from picklebot.core.text import shorten
from picklebot.errors import ConfigError
from picklebot.mcp.base import Dial, Dialled, ServerTrouble, Target
from picklebot.mcp.pins import Pins
from picklebot.mcp.server import Server
from picklebot.mcp.tools import create_mcp_tools
from picklebot.plugins import load
from picklebot.sandbox.choosing import choose
from picklebot.sandbox.programs import Needs, environment_of, paths_of, shut_in
from picklebot.settings import McpServerSettings
from picklebot.tools.base import Tool
from picklebot.tools.launcher import PlainLauncher

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
    servers = [Server(target, pins=pins, dial=dialler(config), clock=clock) for target in targets(config)]
    if not servers:
        yield ()
        return
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(server.run(), name=f"mcp server {server.name}") for server in servers]
        for server in servers if at_once else ():
            server.want()
        offered = await asyncio.gather(*(_tools(server, pins) for server in servers))
        try:
            yield [tool for tools in offered for tool in tools]
        finally:
            for task in tasks:
                task.cancel()


async def _tools(server: Server, pins: Pins) -> Sequence[Tool]:
    try:
        async with asyncio.timeout(FIRST_SIGHT):
            offers = await server.offers()
            unread = not await asyncio.to_thread(pins.is_read, server.name)
            return create_mcp_tools(server.name, offers, server, unread=unread)
    except (ServerTrouble, TimeoutError) as exc:
        words = str(exc) or f"it took longer than {FIRST_SIGHT:g} s"
        logger.warning("mcp server %s was never seen and offers nothing until the next start: %s", server.name, words)
        return ()


def pins_of(config: Config) -> Pins:
    """Return what was let in of each server."""
    return Pins(config.workspace.state / "mcp.json")


def waiting(config: Config) -> list[str]:
    """Return in a sentence each which servers wait for their owner's word, as far as they were spoken to. Blocks."""
    pins = pins_of(config)
    found: list[str] = []
    for name in sorted(name for name, settings in config.mcp_servers.items() if settings.enabled):
        if words := pins.noticed(name):
            found.append(
                f"the server {name} offers what you have not let in ({shorten(visible(words), 200)}), and that is not used: "
                f"`picklebot tools trust {name}` shows it, and lets it in from the next start on"
            )
        elif pins.of(name) and not pins.is_read(name):
            found.append(
                f"you have not read what the tools of {name} say, so agents that have them ask before they send private "
                f"things anywhere: `picklebot tools trust {name}` shows it"
            )
    return found


def known_tools(config: Config) -> list[Tool]:
    """Return the tools that were let in, to be looked at and not to be run."""
    pins, clock = pins_of(config), SystemClock()
    found: list[Tool] = []
    for name, settings in sorted(config.mcp_servers.items()):
        if settings.enabled:
            server = Server(Target(name=name), pins=pins, dial=dialler(config), clock=clock)
            found += create_mcp_tools(name, pins.of(name) or (), server, unread=not pins.is_read(name))
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
        url=settings.url,
        token=_needed(config, settings.token_env, f"mcp_servers.{name}.token_env") if settings.token_env else None,
        timeout=settings.timeout,
        ask=settings.trust == "ask",
    )


def _needed(config: Config, variable: str, setting: str) -> str:
    secret = config.secret(variable)
    if secret is None:
        raise ConfigError(f"{setting}: {variable} is neither in the environment nor in .env")
    return secret


def dialler(config: Config) -> Dial:
    """Return what connects to a server, a program in its sandbox. The first time it loads the vendor's client.

    Raises:
        ServerTrouble: the extra `mcp` is not installed, the sandbox cannot be had, or as `picklebot.mcp.sdk.dial` says.
    """

    @asynccontextmanager
    async def dial(target: Target) -> AsyncGenerator[Dialled, None]:
        try:
            placed = await asyncio.to_thread(_placed, config, target) if target.command else target
        except ConfigError as exc:
            raise ServerTrouble(str(exc)) from exc
        try:  # in a thread: it takes a second
            opened = await asyncio.to_thread(load, "picklebot.mcp.sdk:dial", target=placed)
        except ConfigError as exc:
            raise ServerTrouble(f"{exc}: pip install 'picklebot[mcp]'") from exc
        async with cast("AbstractAsyncContextManager[Dialled]", opened) as line:
            yield line

    return dial


def _placed(config: Config, target: Target) -> Target:
    """Return a program as it is started: with its whole environment, and inside its sandbox unless config.yaml says no.

    Raises:
        ConfigError: no sandbox holds here, or what the program needs cannot be given.
    """
    settings, workspace = config.mcp_servers[target.name], config.workspace
    if not settings.sandbox or config.sandbox.mode == "off":
        inherited = PlainLauncher().environment()
        return replace(target, environment={**inherited, **target.environment}, folder=workspace.root)
    setting = f"mcp_servers.{target.name}"
    needs = Needs(
        home=workspace.state / "mcp" / target.name,
        root=workspace.root,
        read=paths_of(settings.read, workspace.root, writing=False),
        write=paths_of(settings.write, workspace.root, writing=True),
        network=settings.network,
        memory_mb=config.sandbox.memory_mb,
    )
    choice = choose(config.sandbox.mode, memory_mb=needs.memory_mb, network=needs.network)
    command, inside = shut_in(choice, target.command, needs, setting=setting)
    return replace(
        target, command=command, environment=environment_of(target.environment, inside), folder=workspace.root
    )
