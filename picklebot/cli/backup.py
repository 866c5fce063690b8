"""`picklebot backup`: the whole workspace in one file, also while the daemon works.

Promises that the file appears only when it is whole, with a database in it that was looked over: one moment of the
daemon's, in balance. Follows no links, and takes no secrets unless told to.
"""

import fcntl
import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from picklebot import __version__
from picklebot.cli.archive import DATABASE, FILES, MANIFEST, SECRETS, TREES, Entry, Manifest, is_allowed
from picklebot.cli.output import counted, one_line, remark, say
from picklebot.cli.reading import database_of
from picklebot.clock import SystemClock
from picklebot.config import Config
from picklebot.errors import NotFound, StoreError, Transient
from picklebot.store import snapshot
from picklebot.workspace import Workspace

_SKIPPED = "__pycache__"


def backup(*, config: Config, file: Path, secrets: bool) -> int:
    """Write the workspace to `file`.

    Raises:
        NotFound: nothing was ever written to the database.
        StoreError: the database is damaged, or the file cannot be written.
    """
    database, target = database_of(config), file.expanduser().resolve()
    if not database.exists():
        raise NotFound(f"nothing has happened in {config.workspace.root} yet: there is no database")
    try:
        with _becoming(target) as made, _copy_of(database, target) as copy:
            schema, counts = snapshot.inspect(copy)
            manifest = Manifest(
                version=__version__,
                created_at=SystemClock().now(),
                database_schema=schema,
                counts=dict(counts),
                files=[],
            )
            entries = _write(made, manifest, _sources(config.workspace, copy, secrets=secrets))
    except OSError as exc:
        raise StoreError(f"{target} cannot be written: {exc}") from exc
    size = target.stat().st_size
    say(str(target))
    remark(f"{counted(len(entries), 'file')}, {counted(counts['accepted'], 'message')}, {size:,} bytes.")
    return 0


@contextmanager
def _becoming(target: Path) -> Generator[BinaryIO]:
    """Yield a file that takes the place of `target` when the block ends well, and is gone when it does not."""
    part = target.with_name(f".{target.name}.part")
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(descriptor, "r+b") as made:  # noqa: PTH123  (of a descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever wrote it may have just finished: then this is no longer a part, but the backup.
            mine = part.stat().st_ino == os.fstat(descriptor).st_ino
        except (BlockingIOError, FileNotFoundError):
            mine = False
        if not mine:
            raise Transient(f"another backup is being written to {target}")
        with ExitStack() as stack:
            stack.callback(part.unlink, missing_ok=True)
            made.truncate()
            yield made
            made.flush()
            os.fsync(descriptor)
            part.replace(target)
            stack.pop_all()
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _copy_of(database: Path, target: Path) -> Generator[Path]:
    copy = target.with_name(f".{target.name}.part.db")
    copy.unlink(missing_ok=True)
    os.close(os.open(copy, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        snapshot.copy(database, copy)
        yield copy
    finally:
        copy.unlink(missing_ok=True)


def _sources(workspace: Workspace, copy: Path, *, secrets: bool) -> Iterator[tuple[str, Path]]:
    """Yield (name in the backup, file), each a plain file when it was looked at."""
    yield DATABASE, copy
    for name in (*FILES, *([SECRETS] if secrets else [])):
        if (workspace.root / name).exists():
            yield name, workspace.root / name
    for tree in TREES:
        for folder, folders, files in os.walk(workspace.root / tree):
            folders[:] = sorted(name for name in folders if name != _SKIPPED)
            files += [name for name in folders if Path(folder, name).is_symlink()]  # never entered, so told of
            for name in sorted(files):
                path = Path(folder, name)
                yield path.relative_to(workspace.root).as_posix(), path


def _write(made: BinaryIO, manifest: Manifest, sources: Iterator[tuple[str, Path]]) -> list[Entry]:
    entries: list[Entry] = []
    with tarfile.open(fileobj=made, mode="w:gz", compresslevel=6) as archive:
        for name, path in sources:
            if (entry := _add(archive, name, path)) is not None:
                entries.append(entry)
        text = manifest.model_copy(update={"files": entries}).model_dump_json(indent=2).encode()
        archive.addfile(
            _member(MANIFEST, size=len(text), mode=0o644, at=manifest.created_at.timestamp()), io.BytesIO(text)
        )
    return entries


def _add(archive: tarfile.TarFile, name: str, path: Path) -> Entry | None:
    """Add a file as it is at this moment; None if it is gone, or nothing that a backup can hold."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None  # it was deleted since the folder was listed
    except OSError as exc:
        remark(one_line(f"left out: {name}: {exc.strerror or exc}"))
        return None
    with open(descriptor, "rb") as file:  # noqa: PTH123  (of a descriptor)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or not is_allowed(name) or not _is_text(name):
            remark(one_line(f"left out: {name}: only plain files with plain names can be kept"))
            return None
        # The database's copy is nobody else's; anything else may change under the reader, so it is read once.
        content: BinaryIO = file if name == DATABASE else io.BytesIO(file.read())
        digest, size = _digest(content)
        archive.addfile(_member(name, size=size, mode=status.st_mode & 0o755, at=status.st_mtime), content)
    return Entry(path=name, size=size, sha256=digest)


def _digest(content: BinaryIO) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while piece := content.read(1 << 20):
        digest.update(piece)
        size += len(piece)
    content.seek(0)
    return digest.hexdigest(), size


def _member(name: str, *, size: int, mode: int, at: float) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, mode, int(at)
    return member


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
