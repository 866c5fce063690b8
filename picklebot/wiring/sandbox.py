"""The sandbox, chosen by settings and by what holds on this machine. Knows no tool."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol, cast

from picklebot.config import Config
from picklebot.errors import ConfigError
from picklebot.plugins import load
from picklebot.sandbox.choosing import Choice, choose
from picklebot.settings.web import Permit
from picklebot.tools.launcher import PlainLauncher, ResidentLauncher
from picklebot.web.addresses import Reach

UNPROXIED = "only bubblewrap can open single hosts, so tools inside reach no network; install bubblewrap"


def sandbox_of(config: Config) -> Choice:
    """Return what keeps tools apart; blocks for a tenth of a second, the first time.

    Raises:
        ConfigError: config.yaml names a kind that does not hold here.
    """
    settings = config.sandbox
    choice = choose(settings.mode, memory_mb=settings.memory_mb, network=settings.network, way_out=way_out_of(config))
    if choice.launcher is None and settings.mode in {"bubblewrap", "landlock"}:
        raise ConfigError(f"sandbox.mode: {choice.why}: {choice.fix}")
    return choice


class _Proxy(Protocol):
    def serve(self, path: Path) -> AbstractAsyncContextManager[None]: ...


def way_out_of(config: Config) -> Path | None:
    """Return where the proxy for programs inside listens; None where they reach nothing, or everything."""
    return config.workspace.state / "way-out.sock" if config.sandbox.hosts else None


@asynccontextmanager
async def open_way_out(config: Config) -> AsyncGenerator[None, None]:
    """Let programs inside reach what `sandbox.hosts` names, for as long as the block lasts."""
    path = way_out_of(config)
    if path is None:
        yield
        return
    reach = Reach([Permit.parse(each) for each in config.web.allow])
    proxy = cast("_Proxy", load("picklebot.web.proxy:Proxy", hosts=config.sandbox.hosts, reach=reach))
    async with proxy.serve(path):
        yield


def launcher_of(config: Config, choice: Choice) -> ResidentLauncher:
    """Return what starts tool processes. Without a sandbox that serves the file tools, which open nothing outside."""
    return choice.launcher or PlainLauncher(memory_mb=config.sandbox.memory_mb)


def notice_of(config: Config, choice: Choice) -> list[str]:
    """Return what a user should read at the start."""
    if choice.launcher is not None:
        return [f"sandbox.hosts: {UNPROXIED}"] if config.sandbox.hosts and choice.name != "bubblewrap" else []
    if choice.off:
        return ["there is no sandbox, because config.yaml switches it off: what a command may do, you may do"]
    return [f"there is no sandbox, so there is no bash tool: {choice.why}; {choice.fix}"]
