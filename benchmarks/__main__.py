"""`python -m benchmarks [name ...] [--quick] [--json] [--folder DIR]`: measures, and prints one table.

Exits with 1 if a bar is missed, but for the short form, whose figures mean nothing.
"""

import argparse
import importlib
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from benchmarks.machine import facts
from benchmarks.rows import Row, Scale
from benchmarks.table import render

NAMES = ("bus", "turns", "flat", "recovery", "idle", "startup", "jobs", "scheduler", "fanout", "memory")


def measure(name: str, scale: Scale) -> list[Row]:
    """Run one benchmark."""
    run = cast("Callable[[Scale], list[Row]]", importlib.import_module(f"benchmarks.{name}").run)
    return run(scale)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure speed and memory.")
    parser.add_argument("names", nargs="*", choices=[[], *NAMES], metavar="name", help=f"of {', '.join(NAMES)}; all")
    parser.add_argument("--quick", action="store_true", help="a short form, to see that it runs: its figures are rough")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of the table")
    parser.add_argument("--folder", type=Path, help="where to write: the disk that is measured")
    options = parser.parse_args(arguments)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="picklebot-bench-", dir=options.folder) as folder:
        machine = facts(Path(folder))
        for name in options.names or NAMES:
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            rows += measure(name, Scale(folder=Path(folder), quick=options.quick))
    if options.json:
        print(json.dumps({"machine": machine, "rows": [row.as_json() for row in rows]}, indent=2))
    else:
        print(f"{machine}\n\n{render(rows)}")
    return 0 if options.quick else int(any(row.met is False for row in rows))


if __name__ == "__main__":
    sys.exit(main())
