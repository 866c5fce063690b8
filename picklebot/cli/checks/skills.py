"""Whether skills are still what was let in."""

from collections.abc import Iterator

from picklebot.cli.checks.findings import Finding
from picklebot.config import Config
from picklebot.errors import ConfigError
from picklebot.wiring.skills import library_of


def check_skills(config: Config) -> Iterator[Finding]:
    """Name each that is not used because it was changed."""
    library = library_of(config)
    try:
        library.scan()
    except ConfigError as exc:
        yield Finding(level="error", check="skills", message=str(exc))
        return
    for name, spec in sorted(library.skills.items()):
        if words := library.withheld(spec):
            yield Finding(
                level="warning",
                check="skills",
                message=f"the skill {name} is not used: {words}",
                fix=f"picklebot skills trust {name}",
            )
