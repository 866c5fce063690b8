"""The machine: room, time, versions, and who runs here."""

import platform
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime

from picklebot.cli.checks.findings import Finding, Level
from picklebot.lock import holder_of
from picklebot.workspace import Workspace

LITTLE = 1 << 30  #: bytes of free space that call for a warning
TOO_LITTLE = 64 << 20  #: bytes below which messages will soon be refused
WAL_MENDED = (3, 51, 3)  #: the first SQLite without the WAL-reset bug (https://sqlite.org/wal.html)
_WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)  #: no clock that is right shows an earlier time than this file's
_ABSURD = datetime(2100, 1, 1, tzinfo=UTC)


def check_room(workspace: Workspace) -> Iterator[Finding]:
    """Find out how much room the disk has left."""
    if not workspace.root.is_dir():
        return
    free = shutil.disk_usage(workspace.root).free
    message = f"{free / (1 << 30):.1f} GB free for {workspace.root}"
    level: Level = "error" if free < TOO_LITTLE else "warning" if free < LITTLE else "ok"
    yield Finding(level=level, check="disk", message=message, fix=None if level == "ok" else "make room")


def check_clock(now: datetime) -> Iterator[Finding]:
    """Find a clock that cannot be right."""
    if _WRITTEN <= now < _ABSURD:
        yield Finding(level="ok", check="clock", message=f"{now:%Y-%m-%d %H:%M} UTC")
    else:
        message = f"this machine says it is {now:%Y-%m-%d %H:%M} UTC, which cannot be"
        yield Finding(level="error", check="clock", message=message, fix="set the clock of this machine")


def check_versions() -> Iterator[Finding]:
    """Say which Python and SQLite run."""
    python = platform.python_version()
    yield Finding(level="ok", check="python", message=f"Python {python}, SQLite {sqlite3.sqlite_version}")
    if sqlite3.sqlite_version_info < WAL_MENDED:
        mended = ".".join(map(str, WAL_MENDED))
        yield Finding(
            level="info",
            check="sqlite",
            message=f"SQLite {sqlite3.sqlite_version} has a rare bug, mended in {mended}, by which several writers at "
            "once can damage a database; picklebot writes through one connection only, which keeps clear of it",
        )


def check_holder(workspace: Workspace) -> Iterator[Finding]:
    """Say who runs in the workspace."""
    holder = holder_of(workspace.lock_file, workspace.daemon_file)
    if holder is None:
        yield Finding(level="info", check="daemon", message="nothing runs in this workspace")
    else:
        message = f"a picklebot {holder.role} runs as process {holder.pid}, since {holder.started_at}"
        yield Finding(level="info", check="daemon", message=message)
