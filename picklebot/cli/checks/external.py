"""Whether external agents could be started. Starts none."""

from collections.abc import Iterator

from picklebot.cli.checks.findings import Finding
from picklebot.config import Config
from picklebot.definitions.library import Library
from picklebot.errors import ConfigError
from picklebot.wiring.external import recipe_of, refused
from picklebot.wiring.sandbox import launcher_of, sandbox_of


def check_external(library: Library, config: Config) -> Iterator[Finding]:
    """Look for the program of each agent that is one, and for a sandbox."""
    agents = [spec for spec in library.agents.values() if spec.runner is not None]
    if not agents:
        return
    try:
        choice = sandbox_of(config)
    except ConfigError:
        return  # the sandbox's own check says so
    for spec in agents:
        environment = launcher_of(config, choice).environment(spec.sandbox)
        try:
            recipe = recipe_of(config, spec, environment["PATH"])
        except ConfigError as exc:
            yield Finding(level="error", check="external", message=f"{spec.id}: {exc}", fix=f"mend {spec.path}")
            continue
        if why := refused(spec, choice):
            yield Finding(level="error", check="external", message=f"{spec.id} cannot be started: {why}")
        else:
            yield Finding(level="ok", check="external", message=f"{spec.id} is the program {recipe.command[0]}")
