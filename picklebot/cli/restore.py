"""`picklebot restore`: a workspace as it was when it was backed up.

Promises that nothing of the workspace is touched before the whole backup was looked over, that what is in the way is
moved aside and never deleted, and that a restore which is cut short is finished by the next one.
"""

import os
import shutil
from contextlib import ExitStack
from pathlib import Path

from pydantic import BaseModel

from picklebot.cli.archive import DATABASE, FILES, SECRETS, TREES, Manifest
from picklebot.cli.output import counted, remark, say
from picklebot.cli.unpack import unpack
from picklebot.clock import SystemClock
from picklebot.config import load
from picklebot.errors import ConfigError, NotFound, StoreError
from picklebot.lock import Holder, hold
from picklebot.workspace import Workspace

RESTORING = "restoring"  #: in the state folder: what is being unpacked
PLAN = "plan.json"  #: in there, once everything is proven: what goes where


class _Plan(BaseModel):
    """Moves within the workspace, in their order. One is due if its file is there and its place is free."""

    archive: str
    moves: list[tuple[str, str]]


def restore(*, workspace: Workspace, file: Path, force: bool) -> int:
    """Bring back what `file` holds.

    Raises:
        AlreadyRunning: somebody holds the workspace.
        StoreError: the backup is damaged, or something is in the way and `force` is not given.
    """
    archive = file.expanduser().resolve()
    if not archive.is_file():
        raise NotFound(f"there is no file {str(archive)!r}")
    try:
        workspace.root.mkdir(parents=True, exist_ok=True)
        workspace.prepare()
        return _restore(workspace, archive, force=force)
    except OSError as exc:
        raise StoreError(f"{workspace.root} cannot be restored: {exc}") from exc


def _restore(workspace: Workspace, archive: Path, *, force: bool) -> int:
    now = SystemClock().now()
    staging, kept = workspace.state / RESTORING, workspace.state / f"before-restore-{now:%Y%m%d-%H%M%S-%f}"
    holder = Holder(os.getpid(), "restore", now.isoformat(timespec="seconds"))
    with hold(workspace.lock_file, workspace.daemon_file, holder):
        if is_unfinished(workspace):
            plan = _Plan.model_validate_json((staging / PLAN).read_bytes())
            _finish(workspace, plan)
            remark(f"The restore of {plan.archive} had been cut short; it is finished now, and {archive} was not read.")
            return 0
        shutil.rmtree(staging, ignore_errors=True)
        with ExitStack() as stack:
            stack.callback(shutil.rmtree, staging, ignore_errors=True)
            manifest = unpack(archive, staging)
            aside = _aside(workspace, manifest, kept, force=force)
            plan = _Plan(archive=str(archive), moves=[*aside, *_placements(workspace, staging)])
            _write(staging / PLAN, plan.model_dump_json())
            stack.pop_all()
        _finish(workspace, plan)
    if aside:
        remark(f"What was there is in {kept}.")
    _tell(workspace, manifest)
    return 0


def is_unfinished(workspace: Workspace) -> bool:
    """Return whether a restore was cut short while it put things in their places."""
    return (workspace.state / RESTORING / PLAN).exists()


def _aside(workspace: Workspace, manifest: Manifest, kept: Path, *, force: bool) -> list[tuple[str, str]]:
    """Return the moves that make room for what comes."""
    candidates = [*TREES, *FILES, DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"]
    if any(entry.path == SECRETS for entry in manifest.files):
        candidates.append(SECRETS)
    present = [each for each in candidates if os.path.lexists(workspace.root / each)]
    if present and not force:
        raise StoreError(
            f"{workspace.root} is in use: it holds {', '.join(present)}. Restore to another folder, or use --force, "
            "which moves these aside"
        )
    return [(each, str((kept / each).relative_to(workspace.root))) for each in present]


def _placements(workspace: Workspace, staging: Path) -> list[tuple[str, str]]:
    """Return the moves that bring what was unpacked to its place; the database last."""
    names = [*(name for name in (*TREES, *FILES, SECRETS) if (staging / name).exists()), DATABASE]
    return [(str((staging / name).relative_to(workspace.root)), name) for name in names]


def _finish(workspace: Workspace, plan: _Plan) -> None:
    """Do what is left of a plan. Doing it again from any point comes to the same end."""
    touched: set[Path] = set()
    for origin, place in ((workspace.root / a, workspace.root / b) for a, b in plan.moves):
        if os.path.lexists(origin) and not os.path.lexists(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            origin.rename(place)
            touched |= {origin.parent, place.parent}
    for folder in touched:
        _sync(folder)
    shutil.rmtree(workspace.state / RESTORING)


def _write(path: Path, text: str) -> None:
    temporary = path.with_suffix(".tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    for folder in (path.parent, path.parent.parent):
        _sync(folder)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _tell(workspace: Workspace, manifest: Manifest) -> None:
    say(str(workspace.root))
    remark(
        f"{counted(len(manifest.files), 'file')} and {counted(manifest.counts.get('accepted', 0), 'message')} "
        f"as of {manifest.created_at:%Y-%m-%d %H:%M} UTC."
    )
    try:
        database = load(workspace, os.environ).database
    except ConfigError as exc:
        remark(f"config.yaml does not load here: {exc}")
        return
    if database != workspace.database:
        remark(f"config.yaml keeps the database in {database}: move {workspace.database} there.")
