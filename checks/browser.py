"""Finds the browser that the tests of the web page drive, and says how to get one.

Promises that `$PICKLEBOT_BROWSER` wins, and that a name there which is no program is an error instead of a silence.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
VARIABLE = "PICKLEBOT_BROWSER"
HOW = (
    "Install Chromium (Debian, Ubuntu: apt install chromium; macOS: brew install --cask chromium), "
    f"or name a Chromium or Chrome in {VARIABLE}."
)


class NoBrowser(Exception):
    """There is none; the message says what to do."""


def find(env: Mapping[str, str]) -> Path:
    """Return the browser.

    Raises:
        NoBrowser: there is none.
    """
    path = env.get("PATH", os.defpath)
    if named := env.get(VARIABLE):
        if (found := shutil.which(named, path=path)) is None:
            raise NoBrowser(f"{VARIABLE} is {named!r}, which is no program here. {HOW}")
        return Path(found)
    for name in NAMES:
        if (found := shutil.which(name, path=path)) is not None:
            return Path(found)
    raise NoBrowser(f"There is no browser here. {HOW}")


def main() -> int:
    """Print the browser's path; return 1 if there is none."""
    try:
        print(find(os.environ))
    except NoBrowser as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
