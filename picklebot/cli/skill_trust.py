"""`picklebot skills trust NAME`: let a skill in as its files are now.

Promises that what is let in is what was named here, file by file. Knows no agent.
"""

import os
import signal

from picklebot.cli.output import one_line, say
from picklebot.config import Config
from picklebot.core.proposals import visible
from picklebot.definitions.seals import TooLarge, difference
from picklebot.errors import ConfigError, NotFound
from picklebot.lock import holder_of
from picklebot.wiring.skills import library_of, seals_of


def trust(*, config: Config, name: str) -> int:
    """Say how it differs from what was let in, and let it in.

    Raises:
        NotFound: there is no such skill that can be read.
        ConfigError: it is too large to be watched.
    """
    library = library_of(config)
    library.scan()
    spec = library.skills.get(name)
    if spec is None:
        raise NotFound(f"there is no skill {name!r} that can be read; there are: {', '.join(library.skills) or 'none'}")
    config.workspace.prepare()
    seals = seals_of(config)
    try:
        found = seals.files(spec.path)
    except TooLarge as exc:
        raise ConfigError(f"skills/{name}: {exc}") from exc
    before = seals.let_in(name, found)
    _ring(config)
    if before is None:
        say(one_line(f"{name} is let in, with {len(found)} files."))
    elif words := difference(before, found):
        say(one_line(visible(f"{name} is let in as it is now ({words}).")))
    else:
        say(f"{name} is what it was.")
    return 0


def _ring(config: Config) -> None:
    """Let the daemon that runs look again."""
    holder = holder_of(config.workspace.lock_file, config.workspace.daemon_file)
    if holder is not None and holder.pid and holder.role == "server":
        os.kill(holder.pid, signal.SIGHUP)
