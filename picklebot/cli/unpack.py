"""Reading a backup: every byte is held against its manifest before any of it counts.

Promises that nothing is written outside of the folder that is given, whatever the archive says: no links, no devices,
no names that lead elsewhere.
"""

import hashlib
import os
import tarfile
import zlib
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from picklebot.cli.archive import DATABASE, MANIFEST, PRIVATE, Entry, Manifest, is_allowed
from picklebot.errors import StoreError
from picklebot.store import snapshot

MAX_MANIFEST = 64 * 1024 * 1024  #: bytes


def unpack(file: Path, folder: Path) -> Manifest:
    """Write what `file` holds to `folder`, and look it over.

    Raises:
        StoreError: it is no backup, or is damaged, or its database is.
    """
    found: dict[str, Entry] = {}
    manifest: Manifest | None = None
    try:
        with tarfile.open(file, mode="r:gz") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isreg() else None
                if content is None or manifest is not None or member.name in found:
                    raise StoreError(f"{file} is no backup: it holds {member.name!r}, which none would")
                if member.name == MANIFEST:
                    manifest = Manifest.model_validate_json(content.read(MAX_MANIFEST))
                elif is_allowed(member.name):
                    found[member.name] = _extract(content, folder, member)
                else:
                    raise StoreError(f"{file} is no backup: {member.name!r} has no place in a workspace")
    except (tarfile.TarError, zlib.error, EOFError, ValidationError, OSError) as exc:
        reason = str(exc).partition("\n")[0]
        raise StoreError(f"{file} is damaged, or no backup, or cannot be unpacked: {reason}") from exc
    if manifest is None:
        raise StoreError(f"{file} is damaged: it ends before its manifest")
    _compare(file, manifest, found)
    schema, counts = snapshot.inspect(folder / DATABASE)
    if (schema, dict(counts)) != (manifest.database_schema, manifest.counts):
        raise StoreError(f"{file} is damaged: its database is not the one of its manifest")
    return manifest


def _extract(content: IO[bytes], folder: Path, member: tarfile.TarInfo) -> Entry:
    path = folder / member.name
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = 0o600 if member.name in PRIVATE else 0o755 if member.mode & 0o100 else 0o644
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with open(descriptor, "wb") as file:  # noqa: PTH123  (of a descriptor)
        while piece := content.read(1 << 20):
            file.write(piece)
            digest.update(piece)
            size += len(piece)
        file.flush()
        os.fsync(descriptor)
    return Entry(path=member.name, size=size, sha256=digest.hexdigest())


def _compare(file: Path, manifest: Manifest, found: dict[str, Entry]) -> None:
    listed = {entry.path: entry for entry in manifest.files}
    for path in sorted({*listed, *found}):
        if listed.get(path) != found.get(path):
            raise StoreError(f"{file} is damaged: {path!r} is not what its manifest says")
    if DATABASE not in found:
        raise StoreError(f"{file} is no backup: it holds no database")
