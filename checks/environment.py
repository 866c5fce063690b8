"""Makes `.venv` hold what requirements.lock says, and says so only when there is something to do.

`core` is what the daemon needs, `dev` adds the tests and the tools of `make check`, `check` adds Node.js for pyright
where the machine has none. Needs nothing but a Python of its own. Promises that a run which was cut short is taken up
again, and that a tree which was moved, or given another Python, gets a fresh `.venv`.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
VENV = TOP / ".venv"
LOCK = TOP / "requirements.lock"
LEVELS = ("core", "dev", "check")
OLDEST_PIP = (22, 3)  # what came with Python 3.11; older ones cannot install this tree in place

_QUIET = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore", "PIP_USER": "0"}


class Trouble(Exception):
    """The environment cannot be made; the message says why."""


def interpreter(venv: Path = VENV) -> Path:
    """Return the Python of a virtual environment."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def origin() -> list[str]:
    """Return what `.venv` is made from: this place, and a digest of what is to be installed."""
    texts = [path.read_bytes() for path in (TOP / "pyproject.toml", LOCK) if path.exists()]
    return [str(TOP), hashlib.sha256(b"\0".join(texts)).hexdigest()]


def stamp(level: str) -> Path:
    """Return the file that says from what a level was installed."""
    return VENV / f".picklebot-{level}"


def _stamped(level: str) -> list[str]:
    return stamp(level).read_text(encoding="utf-8").splitlines() if stamp(level).exists() else []


def is_current(level: str) -> bool:
    """Say whether `level`, or one above it, is installed and still works."""
    enough = LEVELS[LEVELS.index(level) :]
    return any(_stamped(each) == origin() for each in enough) and _pip_version(interpreter()) is not None


def is_usable() -> bool:
    """Say whether `.venv` can be installed into. One that was moved cannot: its programs name their old place."""
    moved = any(_stamped(level)[:1] not in ([], [str(TOP)]) for level in LEVELS)
    return not moved and _pip_version(interpreter()) is not None


def _pip_version(python: Path) -> tuple[int, ...] | None:
    """Return the version of a Python's pip; None if that Python is missing, broken or too old, or has no pip."""
    ask = "import sys, pip; assert sys.version_info >= (3, 11); print(pip.__version__)"
    try:
        done = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return tuple(int(part) for part in done.stdout.split(".")[:2] if part.isdigit())


def make_venv(venv: Path) -> Path:
    """Make a virtual environment, in place of whatever was there; return its Python."""
    done = subprocess.run([sys.executable, "-m", "venv", "--clear", venv], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Trouble(
            f"{sys.executable} could not make a virtual environment in {str(venv)!r}. On Debian and Ubuntu, "
            f"`apt install python3-venv` mends this.\n{done.stdout}{done.stderr}"
        )
    return interpreter(venv)


def pip_install(python: Path, arguments: Sequence[str]) -> None:
    """Install, saying nothing but what went wrong."""
    version = _pip_version(python)
    if version is None or version < OLDEST_PIP:
        _pip(python, ["install", "--upgrade", "pip"])
    _pip(python, ["install", *arguments])


def _pip(python: Path, arguments: Sequence[str]) -> None:
    command = [str(python), "-m", "pip", "-qq", *arguments]
    if subprocess.run(command, cwd=TOP, env={**os.environ, **_QUIET}, check=False).returncode:
        raise Trouble("pip could not install the packages; what it said stands above. Run the same again to retry.")


def wanted(level: str) -> list[str]:
    """Return pip's arguments for a level. Paths are relative, so that one with spaces needs no care."""
    arguments = ["-c", LOCK.name] if LOCK.exists() else []
    arguments += ["-e", "." if level == "core" else ".[dev]"]
    if level == "check" and shutil.which("node") is None:
        arguments.append("pyright[nodejs]")
    return arguments


def ensure(level: str) -> None:
    """Bring `.venv` to `level`, if it is not there yet."""
    if is_current(level):
        return
    what = "picklebot" if level == "core" else "picklebot and its development tools"
    print(f"Installing {what} into .venv; this takes a minute, once.", flush=True)
    python = interpreter() if is_usable() else make_venv(VENV)
    pip_install(python, wanted(level))
    # pip compiles what it copies, and an editable install copies nothing: without this, each start would compile.
    subprocess.run([python, "-m", "compileall", "-qq", "picklebot"], cwd=TOP, check=False)
    for each in LEVELS:
        stamp(each).unlink(missing_ok=True)
    stamp(level).write_text("\n".join(origin()), encoding="utf-8")


def main() -> int:
    """Bring `.venv` to the level named on the command line."""
    level = sys.argv[1] if len(sys.argv) > 1 else "core"
    if level not in LEVELS:
        print(f"there is no level {level!r}; there are {', '.join(LEVELS)}", file=sys.stderr)
        return 2
    try:
        ensure(level)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; the same command takes it up again.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
