"""The user's own tools: every `@tool` of the workspace's `tools/*.py`.

Promises that a file which cannot be loaded ends in a `ConfigError` with its place. The code runs in the daemon, with
all its rights, so this is called only when the config says so.
"""

import sys
import traceback
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from picklebot.errors import ConfigError, PicklebotError
from picklebot.tools.base import Tool

# What a module's code can raise on its way in, short of what means that Python itself must stop.
_TROUBLE = (
    SyntaxError, ImportError, NameError, AttributeError, TypeError, ValueError, LookupError, ArithmeticError,
    AssertionError, OSError, RuntimeError, BufferError, EOFError, StopIteration, Warning, SystemExit, PicklebotError,
)  # fmt: skip


def load_local_tools(folder: Path) -> list[Tool]:
    """Return the tools of every module in `folder`, in the order of the files' names. No folder: no tools.

    A file whose name begins with `_` is left to the others to import.

    Raises:
        ConfigError: if a file cannot be loaded, or two tools have one name.
    """
    found: dict[str, tuple[Tool, Path]] = {}
    for path in sorted(folder.glob("[!_]*.py")):
        for value in vars(_load(path)).values():
            if not isinstance(value, Tool):
                continue
            known, where = found.setdefault(value.name, (value, path))
            if known is not value:  # else one file took it from another
                raise ConfigError(f"{path}: the tool {value.name!r} is also in {where}: rename one of them")
    return [tool for tool, _ in found.values()]


class _FreshLoader(SourceFileLoader):
    """Reads the source every time: cached bytecode is told apart by whole seconds, and litters the workspace."""

    def path_stats(self, path: str) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]  # bytes or str above
        raise OSError("no cache")


def _load(path: Path) -> ModuleType:
    name = f"picklebot_local_{path.stem}"
    spec = spec_from_file_location(name, path, loader=_FreshLoader(name, str(path)))
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} cannot be loaded as a module")
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and annotations look their module up there
    try:
        spec.loader.exec_module(module)
    except _TROUBLE as exc:
        del sys.modules[name]
        raise ConfigError(f"{path}:{_line(exc, path)}: {type(exc).__name__}: {exc}") from exc
    return module


def _line(exc: BaseException, path: Path) -> int:
    """Return the last line of `path` on the way to the error."""
    if isinstance(exc, SyntaxError) and exc.filename == str(path):
        return exc.lineno or 0
    frames = traceback.extract_tb(exc.__traceback__)
    return next((frame.lineno or 0 for frame in reversed(frames) if frame.filename == str(path)), 0)
