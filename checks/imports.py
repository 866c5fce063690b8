"""Imports stand at the top of a module, and every one of them is real.

An import inside a function hides a cycle or a cost. The few that save a cost are marked `# lazy: <reason>` on their
line, and so is one that is loaded by its name outside `picklebot/plugins.py`. Direction is import-linter's business.
"""

import ast
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypeGuard

from checks.tree import Finding, given_top, parse, python_files, report

FOLDERS = ("picklebot", "tests", "benchmarks", "checks")
LAZY = re.compile(r"#\s*lazy:\s*\S")
LOADER = Path("picklebot/plugins.py")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def _inside_functions(tree: ast.Module) -> set[ast.Import | ast.ImportFrom]:
    functions = (node for node in ast.walk(tree) if isinstance(node, _FUNCTIONS))
    inner = (node for function in functions for node in ast.walk(function))
    return {node for node in inner if isinstance(node, (ast.Import, ast.ImportFrom))}


def _is_marked(node: ast.stmt | ast.expr, lines: Sequence[str]) -> bool:
    return any(LAZY.search(line) for line in lines[node.lineno - 1 : node.end_lineno])


def _loads_by_name(node: ast.AST) -> TypeGuard[ast.Call]:
    match node:
        case ast.Call(func=ast.Name(id="__import__" | "import_module")):
            return True
        case ast.Call(func=ast.Attribute(attr="import_module")):
            return True
        case _:
            return False


def _names_type_checking(node: ast.AST) -> bool:
    match node:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return True
        case ast.ImportFrom(names=names):
            return any(alias.name == "TYPE_CHECKING" for alias in names)
        case _:
            return False


def findings_in(top: Path, path: Path) -> list[Finding]:
    """Return the imports of one file that are hidden or not real."""
    tree, lines = parse(top, path)
    found = [
        Finding(path, node.lineno, "an import inside a function: move it up, or mark it `# lazy: <reason>`")
        for node in _inside_functions(tree)
        if not _is_marked(node, lines)
    ]
    for node in ast.walk(tree):
        if _names_type_checking(node):
            line = getattr(node, "lineno", 0)
            found.append(Finding(path, line, "TYPE_CHECKING: import it for real, or turn the dependency round"))
        if path != LOADER and path.parts[0] == "picklebot" and _loads_by_name(node) and not _is_marked(node, lines):
            found.append(Finding(path, node.lineno, f"a module loaded by its name: only {LOADER} does that unmarked"))
    return sorted(set(found), key=lambda finding: finding.line)


def main() -> int:
    """Print hidden imports; return 1 if there are any."""
    top = given_top()
    found = [finding for path in python_files(top, *FOLDERS) for finding in findings_in(top, path)]
    return report("imports are real and at the top", found)


if __name__ == "__main__":
    sys.exit(main())
