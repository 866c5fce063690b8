"""What the checks share: the tree they look at, and the way they speak.

Promises that a finding names its file and line. Knows no rule.
"""

import ast
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Finding:
    """Something at a place in the tree. `line` is 1-based; 0 means the whole file."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else f"{self.path}"
        return f"{place}: {self.message}"


def python_files(top: Path, *folders: str) -> Iterator[Path]:
    """Yield every .py file below `folders` of `top`, in order, as paths relative to `top`."""
    for folder in folders:
        for path in sorted((top / folder).rglob("*.py")):
            yield path.relative_to(top)


def parse(top: Path, path: Path) -> tuple[ast.Module, list[str]]:
    """Return the syntax tree and the lines of one file."""
    text = (top / path).read_text(encoding="utf-8")
    return ast.parse(text, filename=str(path)), text.splitlines()


def given_top() -> Path:
    """Return the tree named on the command line, or this one."""
    return Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else TOP


def report(rule: str, findings: Sequence[Finding]) -> int:
    """Print `findings` of a broken `rule`, or that it holds; return the exit code."""
    for finding in findings:
        print(finding)
    print(f"{rule}: {len(findings)} to mend" if findings else f"{rule}: holds")
    return 1 if findings else 0
