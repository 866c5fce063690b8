"""Who may talk: strangers at the door, and those who were let in.

Promises that a pairing code is drawn where nobody can foresee it, and is read as a person types it. People are known
by the platform's own id; a name is shown and never compared. Knows no platform and no store.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from picklebot.core.source import Source

Role: TypeAlias = Literal["owner", "guest"]

CODE_LENGTH = 8
LIFETIME = timedelta(hours=1)  #: how long a code may be used
MAX_TRIES = 5  #: wrong codes after which those that wait are void
MAX_PENDING = 3  #: strangers of one channel that wait at once; further ones hear nothing
MAX_NAME = 64  #: characters of a name that are kept
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
_MISREAD = str.maketrans("ILO", "110")


@dataclass(frozen=True, slots=True, kw_only=True)
class Knock:
    """A stranger at the door. `told`: the code has reached them."""

    channel: str
    person: str
    name: str
    code: str
    at: datetime
    expires_at: datetime
    told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Somebody who was let in, and by whom."""

    channel: str
    person: str
    name: str
    role: Role
    by: Source
    at: datetime


def new_code() -> str:
    """Return a fresh code: 40 bits that nobody can foresee."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(CODE_LENGTH))


def typed_code(text: str) -> str | None:
    """Return the code that a person meant, whatever the case; None if it cannot be one."""
    code = text.strip().replace("-", "").upper().translate(_MISREAD)
    return code if len(code) == CODE_LENGTH and all(char in _ALPHABET for char in code) else None


def person_of(source: Source) -> str:
    """Return the id of who speaks: the first thing below the channel."""
    return source.parts[0] if source.parts else ""


def speaker(source: Source) -> Source:
    """Return who speaks, wherever on their platform: `telegram:42` of `telegram:42:-100`."""
    return Source(source.channel, source.parts[:1])


def place_of(channel: str, person: str) -> Source:
    """Return where somebody is spoken to alone."""
    return Source(channel, (person, person))


def is_private(source: Source) -> bool:
    """Return whether nobody else reads what is said there."""
    return len(source.parts) >= 2 and source.parts[0] == source.parts[1]
