"""What keeps tools apart from the rest of the machine, tried anew."""

from collections.abc import Iterator

from picklebot.cli.checks.findings import Finding, Level
from picklebot.config import Config
from picklebot.sandbox.choosing import INSTALL, choose
from picklebot.wiring.sandbox import UNPROXIED, way_out_of


def check_sandbox(config: Config) -> Iterator[Finding]:
    """Say what is in force, and what to install where nothing is."""
    settings = config.sandbox
    choice = choose(settings.mode, memory_mb=settings.memory_mb, network=settings.network, way_out=way_out_of(config))
    if choice.launcher is not None:
        reach = (
            "and reach the network" if settings.network else f"and reach {', '.join(settings.hosts) or 'no network'}"
        )
        if settings.hosts and choice.name != "bubblewrap":
            reach = "and reach no network"
            yield Finding(level="warning", check="sandbox", message=f"sandbox.hosts: {UNPROXIED}", fix=INSTALL)
        message = f"shell and file tools run under {choice.name}, {reach}: a program inside tried and got no further"
        yield Finding(level="ok", check="sandbox", message=message)
    elif choice.off:
        message = "config.yaml switches the sandbox off: what a command may do, you may do"
        yield Finding(level="warning", check="sandbox", message=message, fix="sandbox: {mode: auto}")
    else:
        message = f"there is no sandbox here, so agents get no bash tool: {choice.why}"
        level: Level = "warning" if settings.mode == "auto" else "error"
        yield Finding(level=level, check="sandbox", message=message, fix=choice.fix)
