"""From the command in AGENT.md to what is run, and what must be readable for it.

Promises that what is found is found before anything is started, and refuses in words what is not. Knows no sandbox.
"""

import os
import shutil
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import picklebot
from picklebot.errors import ConfigError

OURS = frozenset({"python", "python3"})  #: the interpreter that picklebot runs on, without its packages
HELPER = ("__init__.py", "ipc/__init__.py", "ipc/client.py")  #: what `import picklebot.ipc` needs
_PACKAGE = Path(picklebot.__file__).parent
_laying = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A command whose files are named by their paths, and the paths that it reads beside the system's own."""

    command: Sequence[str]
    readable: Sequence[Path]


def find(command: Sequence[str], read: Sequence[str], *, beside: Path | None, path: str, private: Path) -> Recipe:
    """Return how to run `command`. Names of files that lie `beside` the agent's own mean those.

    Raises:
        ConfigError: the program is not there, or what is to be read is not, or lies around or in `private`.
    """
    program = _program(command[0], beside, path)
    arguments = [str(own) if (own := _own(each, beside)) else each for each in command[1:]]
    named = [Path(each) for each in (program, *arguments) if each.startswith("/") and Path(each).is_file()]
    wanted = [_readable(each) for each in read]
    for each in wanted:
        meant, root = each.resolve(), private.parent
        if any(above.resolve() == root for above in each.parents) and not meant.is_relative_to(root):
            raise ConfigError(f"runner.read: {str(each)!r} leads out of the workspace: the link may be an agent's")
        if private.is_relative_to(meant) or meant.is_relative_to(private):
            raise ConfigError(
                f"runner.read: {str(each)!r} holds what picklebot keeps to itself; name a folder beside it"
            )
    return Recipe(command=[program, *arguments], readable=[*([beside] if beside else []), *named, *wanted])


def lay_out_helper(folder: Path) -> None:
    """Copy `picklebot.ipc` to a folder where there is nothing else of picklebot."""
    with _laying:  # two conversations may begin at once
        for name in HELPER:
            source, target = _PACKAGE / name, folder / "picklebot" / name
            content = source.read_bytes()
            if not target.is_file() or target.read_bytes() != content:
                target.parent.mkdir(parents=True, exist_ok=True)
                draft = target.with_name(f".{target.name}")
                draft.write_bytes(content)
                draft.replace(target)


def _program(name: str, beside: Path | None, path: str) -> str:
    if name in OURS:
        return str(getattr(sys, "_base_executable", sys.executable))
    if own := _own(name, beside):
        found = own
    elif "/" not in name:
        inside = shutil.which(name, path=path)
        if inside is None:
            raise ConfigError(f"runner.command: there is no program {name!r} on the path of its sandbox ({path})")
        return inside
    else:
        found = Path(name).expanduser()
    if not found.is_absolute() or not os.access(found, os.X_OK) or not found.is_file():
        raise ConfigError(f"runner.command: {str(found)!r} is not there, or is no program (chmod +x)")
    return str(found)


def _own(name: str, beside: Path | None) -> Path | None:
    """Return the agent's own file of this name, if there is one."""
    if beside is None or name.startswith(("-", "/")) or len(name) > os.pathconf("/", "PC_NAME_MAX"):
        return None
    found = beside / name
    return found if found.is_file() and found.resolve().is_relative_to(beside.resolve()) else None


def _readable(name: str) -> Path:
    found = Path(os.path.normpath(Path(name).expanduser()))
    if not found.is_absolute() or not found.exists():
        raise ConfigError(f"runner.read: there is no {name!r}; name files and folders by their whole paths")
    return found
