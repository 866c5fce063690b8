"""What a tool process may see of the machine, by path.

Reading is an allow-list: programs and libraries, a little of /etc, and the workspace without its secrets. Promises
that what steers picklebot, or what other programs obey, is never writable, also where it is not there yet. Knows no
mechanism.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISLNK

from picklebot.errors import ToolError
from picklebot.toolhost import guard, nested

PACKAGE = Path(__file__).resolve().parents[1]
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt")
ETC = (
    "alternatives",
    "bash.bashrc",
    "ca-certificates",
    "group",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "magic",
    "mime.types",
    "nsswitch.conf",
    "os-release",
    "passwd",
    "profile",
    "protocols",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
    "timezone",
)
NETWORK = ("hosts", "resolv.conf", "gai.conf", "host.conf")
CONTROL_FOLDERS = ("agents", "crons", "skills", "tools", guard.NOTES)
CONTROL_FILES = ("config.yaml", *sorted(guard.PROMPTS))
STATE, SECRETS = ".picklebot", ".env"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Paths that are seen as they are, the workspace, and what lies on top of it: fixed, or hidden."""

    readable: Sequence[Path]
    root: Path
    writable: bool
    fixed: Sequence[Path]
    sealed: Mapping[str, nested.Identity]
    """Those of `fixed` that a command could have put there, with what each was when we looked."""
    hidden_folders: Sequence[Path]
    hidden_files: Sequence[Path]
    placed: Mapping[Path, Path] = field(default_factory=dict[Path, Path])
    """What stands elsewhere inside than outside: a path there, and the one here."""


def view_of(root: Path, *, writable: bool, network: bool) -> View:
    """Return what a tool process on the workspace at `root` may see."""
    control = [root / name for name in (*CONTROL_FILES, *CONTROL_FOLDERS)]
    private = [path for name in (SECRETS, *sorted(guard.HOMELY)) if _is_there(path := root / name)]
    sealed = _obeyed(root)
    return View(
        readable=system_paths(network=network),
        root=root,
        writable=writable,
        fixed=[*(path for path in control if path.exists()), *map(Path, sealed), *_own_code(root)],
        sealed=sealed,
        hidden_folders=[root / STATE, *(path for path in private if path.is_dir())],
        hidden_files=[path for path in private if not path.is_dir()],
    )


def room_of(root: Path, *, further: Sequence[Path], network: bool) -> View:
    """Return what a program may see that has the folder `root` for its own: nothing of the workspace but `further`."""
    readable = [*system_paths(network=network), *further]
    return View(readable=readable, root=root, writable=True, fixed=(), sealed={}, hidden_folders=(), hidden_files=())


def system_paths(*, network: bool) -> list[Path]:
    """Return programs and libraries, a little of /etc, and our own interpreter with the program that runs inside."""
    etc = [Path("/etc", name) for name in (*ETC, *(NETWORK if network else ()))]
    readable = [Path(each) for each in SYSTEM] + etc + _interpreter() + [PACKAGE / "toolhost", PACKAGE / "__init__.py"]
    return [path for path in readable if path.exists()]


def occupy(root: Path) -> None:
    """Make what steers picklebot and is not there, empty: only what is there can be fixed.

    Raises:
        ToolError: something of it is a symbolic link, which cannot be fixed.
    """
    for name in (*CONTROL_FOLDERS, *CONTROL_FILES, SECRETS):
        if (root / name).is_symlink():
            raise ToolError(f"{name} is a symbolic link, which the sandbox cannot protect: its owner must replace it")
    for name in CONTROL_FOLDERS:
        (root / name).mkdir(exist_ok=True)
    for name in (*CONTROL_FILES, SECRETS):
        mode = 0o600 if name == SECRETS else 0o644
        with suppress(FileExistsError):
            os.close(os.open(root / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode))


def stamp(root: Path) -> tuple[tuple[int, int] | None, ...]:
    """Return what tells whether the files that are fixed by path are still the same: an editor may have replaced one.

    A process that was started before would see the new file as it is, and could write it.
    """
    return tuple(_identity(root / name) for name in (*CONTROL_FILES, *CONTROL_FOLDERS, SECRETS, ".git"))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _interpreter() -> list[Path]:
    """Return where our own Python lives, where that is not below /usr."""
    return [Path(each) for each in {sys.base_prefix, sys.base_exec_prefix} if not each.startswith("/usr/")]


def _obeyed(root: Path) -> dict[str, nested.Identity]:
    """Return what is run or obeyed by other programs, and what it is now.

    A symbolic link among it is left alone: it would be followed, outside and inside, and a command may have made it.
    """
    found: dict[str, nested.Identity] = {}
    for name in sorted(guard.TRUSTED):
        with suppress(FileNotFoundError):
            status = (root / name).lstat()  # once: between two looks a command may put another thing there
            if not S_ISLNK(status.st_mode):
                found[str(root / name)] = status.st_dev, status.st_ino
    return {**found, **{str(root / path): identity for path, identity in nested.obeyed(str(root)).items()}}


def _is_there(path: Path) -> bool:
    return path.exists() and not path.is_symlink()


def _own_code(root: Path) -> list[Path]:
    """Return the daemon's own code and packages, where they lie in the workspace: a checkout is a workspace too."""
    owned = {Path(sys.prefix).resolve(), PACKAGE, Path(Path(sys.prefix).resolve())}
    return sorted(path for path in owned if path.is_relative_to(root) and path != root)
