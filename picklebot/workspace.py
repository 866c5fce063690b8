"""The workspace: one visible tree that holds everything a daemon is made of, and its state.

Promises names for the places in it, and a state folder that is closed to others. Knows nothing of what they hold.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from picklebot.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Workspace:
    """A tree, by its root, which is absolute."""

    root: Path

    @property
    def config_file(self) -> Path:
        """The settings."""
        return self.root / "config.yaml"

    @property
    def env_file(self) -> Path:
        """The secrets."""
        return self.root / ".env"

    @property
    def agents(self) -> Path:
        """Who there is."""
        return self.root / "agents"

    @property
    def crons(self) -> Path:
        """What is done when."""
        return self.root / "crons"

    @property
    def skills(self) -> Path:
        """What agents can read up on."""
        return self.root / "skills"

    @property
    def tools(self) -> Path:
        """The user's own tools."""
        return self.root / "tools"

    @property
    def memories(self) -> Path:
        """What agents remember, in markdown."""
        return self.root / "memories"

    @property
    def state(self) -> Path:
        """What the daemon keeps for itself."""
        return self.root / ".picklebot"

    @property
    def database(self) -> Path:
        """The store, where the settings name no other."""
        return self.state / "picklebot.db"

    @property
    def daemon_file(self) -> Path:
        """Who the running daemon is, and where it listens."""
        return self.state / "daemon.json"

    @property
    def token_file(self) -> Path:
        """The gateway's token."""
        return self.state / "token"

    @property
    def logins_file(self) -> Path:
        """Digests of the logins of browsers."""
        return self.state / "logins.json"

    @property
    def lock_file(self) -> Path:
        """Held by the one daemon of this workspace."""
        return self.state / "lock"

    @property
    def logs(self) -> Path:
        """The daemon's log files."""
        return self.state / "logs"

    @property
    def restoring(self) -> Path:
        """There while a restore is at work, or was cut short."""
        return self.state / "restoring" / "plan.json"

    @property
    def requests(self) -> Path:
        """What a person asked of the daemon's jobs, until it is taken."""
        return self.state / "requests"

    @property
    def ipc(self) -> Path:
        """Where external agents and the daemon exchange files."""
        return self.state / "ipc"

    def prepare(self) -> None:
        """Make the state folder, and close it and what is in it to others, whatever the umask. Idempotent.

        Raises:
            ConfigError: if there is no such workspace, or its state cannot be kept there.
        """
        if not self.root.is_dir():
            raise ConfigError(f"there is no folder {str(self.root)!r}: `picklebot init {self.root}` makes a workspace")
        for folder in (self.state, self.logs, self.ipc):
            try:
                _make_private(folder)
            except OSError as exc:
                raise ConfigError(
                    f"the state folder {str(folder)!r} cannot be made or closed to others: {exc}"
                ) from exc


def find(explicit: Path | None, env: Mapping[str, str], cwd: Path) -> Workspace:
    """Return the workspace that is meant. It need not exist.

    That is the `explicit` one, `$PICKLEBOT_WORKSPACE`, `cwd` if it holds a config.yaml, else `~/.picklebot`.
    """
    home = Path(env["HOME"]) if env.get("HOME") else Path.home()
    if explicit is not None:
        named = explicit
    elif wanted := env.get("PICKLEBOT_WORKSPACE"):
        named = Path(wanted)
    elif (cwd / "config.yaml").is_file():
        named = cwd
    else:
        named = home / ".picklebot"
    if named.parts[:1] == ("~",):
        named = home.joinpath(*named.parts[1:])
    return Workspace((cwd / named).resolve())


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if stat.S_IMODE(folder.stat().st_mode) != 0o700 and os.name != "nt":
        folder.chmod(0o700)
