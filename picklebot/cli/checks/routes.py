"""The bindings made by /route: that the agents which they name are there."""

import asyncio
from collections.abc import Iterator

from picklebot.cli.checks.findings import Finding
from picklebot.cli.reading import reading
from picklebot.config import Config
from picklebot.definitions.library import Library
from picklebot.errors import ConfigError, NotFound, StoreError


def check_routes(library: Library, config: Config) -> Iterator[Finding]:
    """Find the agents that sources were bound to and that are not there."""
    try:
        with reading(config) as opened:
            made = asyncio.run(opened.bindings.all()) if opened else []
    except (StoreError, ConfigError):
        return  # the check of the database says so
    for binding in made:
        try:
            library.get_agent(binding.agent_id)
        except NotFound as exc:
            words = f"`{binding.pattern}` was bound by /route, and {exc}"
            fix = "/route default there, or `/route PATTERN default` for a pattern, takes it away"
            yield Finding(level="error", check="agents", message=words, fix=fix)
