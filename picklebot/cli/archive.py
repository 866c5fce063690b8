"""The form of a backup: which files of a workspace are in it, under which names, and the manifest at its end.

A backup is a tar.gz of plain files. The manifest comes last, so that an archive which was cut short has none. Promises
that no name leads out of a workspace. Knows no database and no disk.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

MANIFEST = "manifest.json"
DATABASE = ".picklebot/picklebot.db"
SECRETS = ".env"
TREES = ("agents", "crons", "skills", "tools", "memories")
FILES = ("config.yaml", "AGENTS.md", "BOOTSTRAP.md", "HEARTBEAT.md", "USER.md")
PRIVATE = frozenset({DATABASE, SECRETS})
_NOWHERE = frozenset({"", ".", ".."})


class Entry(BaseModel):
    """A file of a backup."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    path: str
    size: int
    sha256: str


class Manifest(BaseModel):
    """What a backup holds. `counts` is the ledger of its database."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal[1] = 1
    version: str
    created_at: datetime
    database_schema: int
    counts: dict[str, int]
    files: list[Entry]


def is_allowed(path: str) -> bool:
    """Return whether a backup may hold a file of that name."""
    if path in {*PRIVATE, *FILES}:
        return True
    top, *parts = path.split("/")
    return top in TREES and bool(parts) and not any(part in _NOWHERE or set(part) & {"\\", "\0"} for part in parts)
