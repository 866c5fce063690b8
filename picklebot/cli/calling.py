"""Calls the module behind a command, and turns what went wrong into a sentence and an exit code.

Promises that nothing is imported before its command is called, and that no error reaches a user as a traceback
unless it is a bug. Knows no command.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, cast

from picklebot.errors import (
    ConfigError,
    DaemonAway,
    LimitReached,
    ModelError,
    PicklebotError,
    StoreError,
    StoreFull,
    ToolDenied,
    Transient,
)
from picklebot.plugins import load

OK, FAILED, USAGE, NO_DAEMON, MODEL, REFUSED, TEMPORARY, BAD_CONFIG, INTERRUPTED = 0, 1, 2, 4, 5, 6, 75, 78, 130


def exit_code(error: PicklebotError) -> int:
    """Return the exit code for an error (docs/cli.md has the table)."""
    match error:
        case ConfigError():
            return BAD_CONFIG
        case DaemonAway():
            return NO_DAEMON
        case ModelError():
            return MODEL
        case ToolDenied() | LimitReached():
            return REFUSED
        case StoreFull() | Transient():
            return TEMPORARY
        case StoreError() | _:
            return FAILED


def call(target: str, workspace: Path | None, **options: object) -> NoReturn:
    """Run `target` ("module:function") with the configuration of the workspace; exit with what it returns."""

    def body() -> int:
        config = load("picklebot.config:load", workspace=_find(workspace), env=os.environ)
        return cast("int", load(target, config=config, **options))

    _exit(body)


def call_unconfigured(target: str, workspace: Path | None, **options: object) -> NoReturn:
    """Run `target` with the workspace alone: for commands that must work when config.yaml does not."""

    def body() -> int:
        return cast("int", load(target, workspace=_find(workspace), **options))

    _exit(body)


def _find(explicit: Path | None) -> object:
    return load("picklebot.workspace:find", explicit=explicit, env=os.environ, cwd=Path.cwd())


def _exit(body: Callable[[], int]) -> NoReturn:
    try:
        code = body()
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        # The reader has left; what Python flushes at exit must not complain about it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILED
    except PicklebotError as exc:
        print(f"picklebot: {exc}", file=sys.stderr)
        code = exit_code(exc)
    except ExceptionGroup as group:
        expected, rest = group.split(PicklebotError)
        if rest is not None or expected is None:
            raise
        for error in flatten(expected):
            print(f"picklebot: {error}", file=sys.stderr)
        code = exit_code(flatten(expected)[0])
    sys.exit(code)


def flatten(group: BaseExceptionGroup[PicklebotError]) -> list[PicklebotError]:
    """Return the errors of a group and of the groups in it."""
    errors: list[PicklebotError] = []
    for error in group.exceptions:
        errors += flatten(error) if isinstance(error, BaseExceptionGroup) else [error]
    return errors
