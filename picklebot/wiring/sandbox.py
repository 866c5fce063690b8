"""The sandbox, chosen by settings and by what holds on this machine. Knows no tool."""

from picklebot.config import Config
from picklebot.errors import ConfigError
from picklebot.sandbox.choosing import Choice, choose
from picklebot.tools.launcher import PlainLauncher, ResidentLauncher


def sandbox_of(config: Config) -> Choice:
    """Return what keeps tools apart; blocks for a tenth of a second, the first time.

    Raises:
        ConfigError: config.yaml names a kind that does not hold here.
    """
    settings = config.sandbox
    choice = choose(settings.mode, memory_mb=settings.memory_mb, network=settings.network)
    if choice.launcher is None and settings.mode in {"bubblewrap", "landlock"}:
        raise ConfigError(f"sandbox.mode: {choice.why}: {choice.fix}")
    return choice


def launcher_of(config: Config, choice: Choice) -> ResidentLauncher:
    """Return what starts tool processes. Without a sandbox that serves the file tools, which open nothing outside."""
    return choice.launcher or PlainLauncher(memory_mb=config.sandbox.memory_mb)


def notice_of(choice: Choice) -> list[str]:
    """Return what a user should read at the start."""
    if choice.launcher is not None:
        return []
    if choice.off:
        return ["there is no sandbox, because config.yaml switches it off: what a command may do, you may do"]
    return [f"there is no sandbox, so there is no bash tool: {choice.why}; {choice.fix}"]
