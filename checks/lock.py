"""Writes requirements.lock: one tested version of everything, as constraints for pip.

Installs the newest versions that pyproject.toml allows into a fresh environment and notes what came. A constraint
binds only what is asked for, so one file serves every Python from 3.11 on. Names no registry and no path.
"""

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from checks.environment import LOCK, TOP, Trouble, make_venv, pip_install

HEADER = """\
# One tested version of everything that picklebot and its development tools need, as constraints:
# `pip install -c requirements.lock -e .` Made by `make lock`; do not edit.
"""
_PINNED = re.compile(r"^[A-Za-z0-9._-]+==[^\s;]+$")


def required(pyproject: str) -> list[str]:
    """Return what a pyproject.toml asks for: the core, every extra, and Node.js for machines without."""
    project = tomllib.loads(pyproject)["project"]
    own = f"{project['name']}["  # an extra that takes in others of ours
    extras = [each for extra in project["optional-dependencies"].values() for each in extra if not each.startswith(own)]
    return [*project["dependencies"], *extras, "pyright[nodejs]"]


def pinned(frozen: str) -> list[str]:
    """Return the `name==version` lines of what pip freeze said, sorted without regard to case."""
    return sorted(filter(_PINNED.match, map(str.strip, frozen.splitlines())), key=str.lower)


def main() -> int:
    """Make the lock anew."""
    with tempfile.TemporaryDirectory(prefix="picklebot-lock-") as folder:
        print("Resolving everything anew; this takes a minute or two.", flush=True)
        try:
            python = make_venv(Path(folder) / "venv")
            pip_install(python, required((TOP / "pyproject.toml").read_text(encoding="utf-8")))
        except Trouble as trouble:
            print(trouble, file=sys.stderr)
            return 1
        freeze = [str(python), "-m", "pip", "freeze"]
        environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        frozen = subprocess.run(freeze, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    lines = pinned(frozen)
    LOCK.write_text(HEADER + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    print(f"{LOCK.name}: {len(lines)} versions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
