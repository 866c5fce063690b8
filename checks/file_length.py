"""No file over 300 lines; one over 200 is worth a thought, and is named.

Knows nothing of what is in them.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from checks.tree import Finding, given_top, python_files, report

HARD = 300
SOFT = 200
FOLDERS = ("picklebot", "tests", "benchmarks", "checks")


def lengths(top: Path) -> list[tuple[Path, int]]:
    """Return every file with its number of lines."""
    found = python_files(top, *FOLDERS)
    return [(path, len((top / path).read_text(encoding="utf-8").splitlines())) for path in found]


def too_long(counted: Sequence[tuple[Path, int]]) -> list[Finding]:
    """Return the files that must be split."""
    return [Finding(path, 0, f"{count} lines, at most {HARD}") for path, count in counted if count > HARD]


def main() -> int:
    """Print what is long; return 1 if anything is too long."""
    counted = lengths(given_top())
    for path, count in counted:
        if SOFT < count <= HARD:
            print(f"note: {path}: {count} lines; it reads best below {SOFT}")
    return report("no file is too long", too_long(counted))


if __name__ == "__main__":
    sys.exit(main())
