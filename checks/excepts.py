"""At most three places catch everything: a tool call, a turn, a delivery attempt.

Counts bare `except`, `except Exception`, `except BaseException` and `suppress` of either, also where they raise
again: each is a place where a bug can be mistaken for trouble. Knows nothing of whether a catch is wise.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from checks.tree import Finding, given_top, parse, python_files, report

ALLOWED = 3
_BROAD = {"Exception", "BaseException"}


def _is_broad(caught: ast.expr | None) -> bool:
    match caught:
        case None:
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in _BROAD
        case ast.Tuple(elts=members):
            return any(_is_broad(member) for member in members)
        case _:
            return False


def _broad_catches(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.ExceptHandler(type=caught) if _is_broad(caught):
                yield node.lineno
            case ast.Call(func=ast.Name(id="suppress") | ast.Attribute(attr="suppress"), args=caught_kinds):
                if any(_is_broad(caught) for caught in caught_kinds):
                    yield node.lineno
            case _:
                pass


def broad_catches(top: Path) -> list[Finding]:
    """Return every place in picklebot that catches everything, with the line it stands on."""
    found: list[Finding] = []
    for path in python_files(top, "picklebot"):
        tree, lines = parse(top, path)
        found += [Finding(path, line, lines[line - 1].strip()) for line in sorted(_broad_catches(tree))]
    return found


def main() -> int:
    """Print the places that catch everything; return 1 if there are more than three."""
    found = broad_catches(given_top())
    rule = f"at most {ALLOWED} places catch everything"
    if len(found) > ALLOWED:
        return report(f"{rule}, not {len(found)}", found)
    for finding in found:
        print(f"note: {finding}")
    return report(rule, [])


if __name__ == "__main__":
    sys.exit(main())
