"""The workspace's folder and settings, and that secrets and state are closed to others.

Mends modes where it is asked to. Works where config.yaml does not.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from picklebot.cli.checks.findings import Finding
from picklebot.config import Config, load
from picklebot.errors import ConfigError
from picklebot.workspace import Workspace


def check_config(workspace: Workspace, env: Mapping[str, str]) -> tuple[Config | None, list[Finding]]:
    """Return the settings, if they are right, and what was found."""
    try:
        config = load(workspace, env)
    except ConfigError as exc:
        found = [Finding(level="error", check="config", message=line) for line in str(exc).splitlines()]
        return None, found
    path = workspace.config_file
    first = (
        Finding(level="ok", check="config", message=f"{path} is right")
        if path.is_file()
        else Finding(level="info", check="config", message=f"there is no {path}, so every default holds")
    )
    # A warning without a line is about the file's mode, which check_modes looks at.
    lines = [text for text in config.warnings if not text.startswith(f"{workspace.env_file}: ")]
    return config, [first, *(Finding(level="warning", check="secrets", message=text) for text in lines)]


def check_modes(workspace: Workspace, *, mend: bool) -> Iterator[Finding]:
    """Find the folder, and what others on this machine could read or write."""
    if not workspace.root.is_dir():
        yield Finding(
            level="error",
            check="workspace",
            message=f"there is no folder {workspace.root}",
            fix=f"picklebot init {workspace.root}",
        )
        return
    yield Finding(level="ok", check="workspace", message=str(workspace.root))
    if os.name == "nt":
        return
    wanted = {
        workspace.env_file: 0o600,
        workspace.token_file: 0o600,
        workspace.logins_file: 0o600,
        workspace.state: 0o700,
        workspace.logs: 0o700,
        workspace.ipc: 0o700,
    }
    loose = [
        (path, mode) for path, mode in wanted.items() if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    for path, mode in loose:
        yield _closed(path, mode) if mend else _open(path, mode)
    if not loose:
        yield Finding(level="ok", check="modes", message="secrets and state are closed to others")


def _open(path: Path, mode: int) -> Finding:
    found = stat.S_IMODE(path.stat().st_mode)
    return Finding(
        level="error",
        check="modes",
        message=f"others on this machine may reach {path} (mode {found:04o})",
        fix=f"picklebot doctor --fix, or chmod {mode:o} {path}",
    )


def _closed(path: Path, mode: int) -> Finding:
    try:
        path.chmod(mode)
    except OSError as exc:
        message = f"{path} is open to others and could not be closed: {exc.strerror}"
        return Finding(level="error", check="modes", message=message, fix=f"chmod {mode:o} {path}, as its owner")
    return Finding(level="ok", check="modes", message=f"{path} was open to others and is closed now (mode {mode:04o})")
