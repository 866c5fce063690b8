"""Whether servers of tools are still what was let in. Speaks to none: tells what was noticed the last time."""

from collections.abc import Iterator
from importlib.util import find_spec

from picklebot.cli.checks.findings import Finding
from picklebot.config import Config
from picklebot.errors import ConfigError
from picklebot.wiring.mcp import pins_of, targets


def check_servers(config: Config) -> Iterator[Finding]:
    """Look at each server that is enabled."""
    try:
        names = [target.name for target in targets(config)]
        for name in names:
            yield _one(config, name)
            yield from _unconfined(config, name)
    except ConfigError as exc:
        yield Finding(level="error", check="mcp", message=str(exc))
        return
    if names and find_spec("mcp") is None:
        yield Finding(
            level="error",
            check="mcp",
            message="mcp_servers are named, and the client for them is not installed",
            fix="pip install 'picklebot[mcp]'",
        )


def _one(config: Config, name: str) -> Finding:
    pins = pins_of(config)
    offers, noticed = pins.of(name), pins.noticed(name)
    if offers is None:
        words = "its tools wait for you" if config.mcp_servers[name].trust == "ask" else "its tools are let in unread"
        return Finding(level="info", check="mcp", message=f"the server {name} was never seen; once it is, {words}")
    if noticed:
        return Finding(
            level="warning",
            check="mcp",
            message=f"the server {name} is not what was let in ({noticed}); what changed or is new is not used",
            fix=f"picklebot tools trust {name}",
        )
    if offers and not pins.is_read(name):
        return Finding(
            level="warning",
            check="mcp",
            message=f"nobody has read what the {len(offers)} tools of the server {name} say: agents that have them count as "
            "having read something from outside",
            fix=f"picklebot tools trust {name}",
        )
    return Finding(level="ok", check="mcp", message=f"the server {name} offers {len(offers)} tools, as it did")


def _unconfined(config: Config, name: str) -> Iterator[Finding]:
    server = config.mcp_servers[name]
    if server.command and (not server.sandbox or config.sandbox.mode == "off"):
        yield Finding(
            level="warning",
            check="mcp",
            message=f"the server {name} runs without a sandbox: it may do what you may do",
            fix="sandbox: {mode: auto}" if server.sandbox else f"mcp_servers.{name}.sandbox: true",
        )
