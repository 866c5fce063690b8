"""A sandbox for a program of somebody else's: it sees itself, a home of its own, and what its owner names.

Promises a command line, and that what picklebot keeps for itself is neither seen nor changed, also where a folder above
it is named. Knows no protocol.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from picklebot.errors import ConfigError
from picklebot.sandbox.bubblewrap import CLOSED, ENVIRONMENT, alone, find_program, laid_over, readable
from picklebot.sandbox.choosing import Choice
from picklebot.sandbox.landlock import LandlockLauncher
from picklebot.sandbox.places import View, occupy, system_paths, view_of
from picklebot.toolhost import guard, nested
from picklebot.toolhost.walls import Walls
from picklebot.tools.launcher import PROGRAM

HOME = Path("/home/server")  #: inside, where there is a mount namespace


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a program is given: `home`, a folder of its own, paths to read and to write, and the network or not."""

    home: Path
    root: Path
    """The workspace, whose state and secrets it never sees."""
    read: Sequence[Path] = ()
    write: Sequence[Path] = ()
    network: bool = False
    memory_mb: int = 1024


def shut_in(choice: Choice, command: Sequence[str], needs: Needs, *, setting: str) -> tuple[list[str], dict[str, str]]:
    """Return the command line that runs `command` inside, and its environment. `setting` is where its settings are.

    Raises:
        ConfigError: no sandbox holds here, there is no such program, or what it needs cannot be given.
    """
    if choice.launcher is None:
        raise ConfigError(
            f"no sandbox holds here ({choice.why}): {choice.fix}; or {setting}.sandbox: false runs it without one"
        )
    found = shutil.which(command[0])
    if found is None:
        raise ConfigError(f"there is no program {command[0]!r}")
    needs.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    whole = [found, *command[1:]]
    path = f"{Path(found).parent}:{ENVIRONMENT['PATH']}"
    if isinstance(choice.launcher, LandlockLauncher):
        return _landlocked(choice.launcher, whole, needs), {"PATH": path}
    return _wrapped(whole, needs), {**ENVIRONMENT, "PATH": path, "HOME": str(HOME)}


def _wrapped(command: Sequence[str], needs: Needs) -> list[str]:
    bwrap = find_program()
    assert bwrap is not None, "it was chosen because it is there"
    arguments = alone(bwrap, network=needs.network, memory_mb=needs.memory_mb)
    read = [path for path in needs.read if path not in needs.write]
    for path in (*system_paths(network=needs.network), *_own(command), *read):
        arguments += readable(path)
    for path in needs.write:
        arguments += ["--bind", str(path), str(path)]
    kept_back, sealed = _kept_back(needs)
    arguments += [*kept_back, "--bind", str(needs.home), str(HOME)]
    inside = _become(command, needs, sealed=sealed)
    return [*arguments, *CLOSED, "--chdir", str(_start(needs, HOME)), "--", *inside]


def _kept_back(needs: Needs) -> tuple[list[str], dict[str, nested.Identity]]:
    """Lay over what is picklebot's own or obeyed by other programs, wherever a folder that was named reaches it.

    Return also what must stand where it was mounted: agents write in the workspace, and might put a link there.
    """
    given = {*needs.read, *needs.write}
    sealed = {str(path): _identity(path) for path in given if needs.root in path.parents}
    if any(_reaches(path, needs.root) for path in given):
        occupy(needs.root)
        view = view_of(needs.root, writable=True, network=needs.network)
    else:
        view = _view_below(needs)
    sealed |= {path: meant for path, meant in view.sealed.items() if Path(path) in view.fixed}
    return laid_over(view), sealed


def _view_below(needs: Needs) -> View:
    """Return the view in which only that is fixed which other programs obey, in folders of the workspace that it may write."""
    view = view_of(needs.root, writable=True, network=needs.network)
    written = [path for path in needs.write if needs.root in path.parents]
    fixed = [path for path in view.fixed if any(path.is_relative_to(each) for each in written)]
    return replace(view, fixed=fixed, hidden_folders=(), hidden_files=())


def _landlocked(launcher: LandlockLauncher, command: Sequence[str], needs: Needs) -> list[str]:
    for path in (*needs.read, *needs.write):
        if _reaches(path, needs.root):
            raise ConfigError(
                f"Landlock cannot give it {path} without picklebot's own state: install bubblewrap for that"
            )
    for path in _view_below(needs).fixed:
        raise ConfigError(
            f"Landlock cannot keep {path} as it is, which other programs obey: install bubblewrap for that"
        )
    readable_ = [*system_paths(network=needs.network), *_own(command), *needs.read]
    walls = Walls(
        readable=[os.path.realpath(path) for path in readable_],
        fixed=(),
        writable=True,
        network=needs.network,
        more=[os.path.realpath(path) for path in needs.write],
    )
    return [*launcher.bound(), *_become(command, needs, walls=walls.to_json())]


def _become(
    command: Sequence[str], needs: Needs, *, walls: str = "", sealed: Mapping[str, nested.Identity] | None = None
) -> list[str]:
    python = str(getattr(sys, "_base_executable", sys.executable))
    sockets = "open" if needs.network else "closed"
    root = str(needs.home if walls else needs.root)
    program = [python, "-I", "-S", str(PROGRAM), "become", root, str(needs.memory_mb), sockets, walls]
    return [*program, json.dumps(sealed or {}), *command]


def _identity(path: Path) -> nested.Identity:
    status = path.lstat()
    return status.st_dev, status.st_ino


def _own(command: Sequence[str]) -> Iterator[Path]:
    """Yield where the program lives, with the packages of its runtime, and what its arguments name by a whole path."""
    for program in (Path(command[0]).absolute(), Path(command[0]).resolve()):
        prefix = program.parent.parent
        packaged = (prefix / "pyvenv.cfg").is_file() or (prefix / "lib" / "node_modules").is_dir()
        if program.is_relative_to("/usr"):
            continue
        if program.parent.name == "bin" and (packaged or any((prefix / "lib").glob("python3*"))):
            yield prefix
        else:
            yield program
    # What its owner names by a whole path in its command, it is meant to find.
    yield from (Path(each) for each in command[1:] if each.startswith("/") and Path(each).exists())


def _reaches(path: Path, root: Path) -> bool:
    """Return whether something of picklebot's own lies at or beneath a path."""
    return root.is_relative_to(path)


def _start(needs: Needs, home: Path) -> Path:
    """Return where it begins: in the workspace if it sees that, else at home."""
    return needs.root if needs.root in (*needs.read, *needs.write) else home


def paths_of(given: Sequence[str], root: Path, *, writing: bool) -> list[Path]:
    """Return the paths that settings name, below the workspace where they are relative.

    Raises:
        ConfigError: one is not there, is picklebot's own, or lies in the workspace and leads elsewhere by a link.
    """
    found = [Path(os.path.normpath(root / Path(each).expanduser())) for each in given]
    for path in found:
        own = path.is_relative_to(root) and guard.refusal(path.relative_to(root).parts, writing=writing)
        if own or not path.exists():
            raise ConfigError(f"{path}: {own or 'there is no such file or folder'}")
        # Agents may write there, and would choose what the program gets.
        if path.is_relative_to(root) and path.resolve() != root.resolve() / path.relative_to(root):
            raise ConfigError(f"{path}: a link leads from there to {path.resolve()}; name that path, if it is meant")
    return found


def environment_of(given: Mapping[str, str], inside: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment of a program: what it needs to find its way, and what it was given by name."""
    locale = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TZ") if name in os.environ}
    return {**locale, **inside, **given}
