"""Logging of programs that share their terminal with a person: into a file, and nowhere else.

Knows no screen.
"""

import os
from pathlib import Path

from picklebot import logs
from picklebot.config import Config
from picklebot.core.redaction import SecretFile

LOG = "terminal.log"


def log_to_file(config: Config) -> None:
    """Send the log to `.picklebot/logs/terminal.log`.

    Raises:
        ConfigError: there is no such workspace, or its state cannot be kept there.
    """
    config.workspace.prepare()
    logs.setup(
        config.logging.level,
        config.logging.format,
        stream=Path(os.devnull).open("w", encoding="utf-8"),  # noqa: SIM115  # until the program ends
        file=config.workspace.logs / LOG,
        secrets=config.known_secrets(),
        live=SecretFile(config.workspace.token_file),
    )
