"""Secrets from `.env` and from a service manager's credentials: read, and never exported.

Promises that neither can say more than a secret: it sets no address and nothing of the daemon's own, and what the
environment already has stays. Knows no setting.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from picklebot.config.document import read_text
from picklebot.errors import ConfigError

MAX_BYTES = 64 * 1024
MAX_FILES = 256  #: credentials that are looked at
CREDENTIALS = "CREDENTIALS_DIRECTORY"  #: where systemd puts what `LoadCredential=` names (systemd.exec(5))
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_SINGLE = re.compile(r"'([^']*)'\s*(?:#.*)?")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(?:#.*)?')
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_FORBIDDEN_ENDS = ("_BASE_URL", "_URL", "_HOST", "_PROXY")


@dataclass(frozen=True, slots=True)
class Secrets:
    """What `.env` or a folder holds, and what is odd about it. Its values are in no repr."""

    values: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    warnings: tuple[str, ...] = ()


def read_secrets(path: Path) -> Secrets:
    """Read the file at `path`; without one there are no secrets.

    Raises:
        ConfigError: if it is no regular UTF-8 file of a sane size.
    """
    text = read_text(path, limit=MAX_BYTES)
    if text is None:
        return Secrets()
    values: dict[str, str] = {}
    warnings = _loose_mode(path)
    for number, line in enumerate(text.splitlines(), start=1):
        written = line.strip()
        if not written or written.startswith("#"):
            continue
        match = _LINE.fullmatch(written)
        value = _unquote(match[2]) if match else None
        if match is None or value is None:
            # The line is not repeated: half of a secret is a secret.
            warnings.append(f"{path}:{number}: not read: write NAME=value, with a quote at both ends or at none")
        elif reason := _refusal(match[1]):
            warnings.append(f"{path}:{number}: {match[1]} is not read from here: {reason}")
        else:
            values[match[1]] = value
    return Secrets(values, tuple(warnings))


def read_credentials(folder: str | None) -> Secrets:
    """Read the files in `folder`, each called what its secret is; those with other names are somebody else's.

    Raises:
        ConfigError: if one is no regular UTF-8 file of a sane size, or may not be read.
    """
    if not folder:
        return Secrets()
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in islice(entries, MAX_FILES) if _NAME.fullmatch(entry.name))
    except OSError as exc:
        raise ConfigError(f"{CREDENTIALS}: {folder} cannot be read: {exc.strerror}") from exc
    values: dict[str, str] = {}
    warnings: list[str] = []
    for name in names:
        if reason := _refusal(name):
            warnings.append(f"{folder}/{name} is not read as a secret: {reason}")
        elif value := (read_text(Path(folder, name), limit=MAX_BYTES) or "").strip():
            values[name] = value
    return Secrets(values, tuple(warnings))


def _loose_mode(path: Path) -> list[str]:
    mode = path.stat().st_mode & 0o777
    if os.name == "nt" or not mode & 0o077:
        return []
    return [f"{path}: others on this machine may read it (mode {mode:04o}): chmod 600 {path}"]


def _refusal(name: str) -> str | None:
    upper = name.upper()
    if upper.startswith("PICKLEBOT_"):
        return "settings belong into config.yaml or the environment"
    if upper.endswith(_FORBIDDEN_ENDS):
        return "addresses belong into config.yaml or the environment"
    return None


def _unquote(text: str) -> str | None:
    """Return the value that is written as `text`, or None where a quote is left open."""
    if text.startswith("'"):
        match = _SINGLE.fullmatch(text)
        return match[1] if match else None
    if text.startswith('"'):
        match = _DOUBLE.fullmatch(text)
        return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), match[1]) if match else None
    return re.sub(r"(^|\s+)#.*", "", text)
