"""What somebody asks the owner to allow: bound by its hash to exactly what is shown, answered once.

Promises that the digest changes with anything that is proposed, and that the id, short enough to type, comes from the
digest: an id never names two contents. Knows no store, and nothing of what an approval does.
"""

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

from picklebot.core.source import Source

State: TypeAlias = Literal["open", "approved", "denied", "expired"]
Verdict: TypeAlias = Literal["approved", "denied"]

LIFETIME = timedelta(days=7)  #: how long a proposal may be answered
ID_LENGTHS = (6, 8, 12, 24)  #: characters of an id; a longer one only where the shorter is taken
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_MISREAD = str.maketrans("ilo", "110")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One question to the owner. `about` is what it concerns, such as a path; a newer one on the same replaces it.

    `details` is what the owner is shown below the title. `outcome` is what came of an approved one; until it is
    `concluded`, nobody knows whether its effect is there.
    """

    id: str
    kind: str
    about: str
    title: str
    details: str
    body: Mapping[str, Any]
    digest: str
    session_id: str
    source: Source
    key: str
    created_at: datetime
    expires_at: datetime
    state: State = "open"
    settled_by: Source | None = None
    settled_at: datetime | None = None
    outcome: str = ""
    concluded: bool = False

    @property
    def intact(self) -> bool:
        """Whether it still says what was proposed."""
        return seal(self) == self.digest and short_id(self.digest, len(self.id)) == self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who asks, where, when, and under what identity: the same `key` again is the same proposal."""

    session_id: str
    source: Source
    key: str
    at: datetime


def propose(
    kind: str, body: Mapping[str, Any], asking: Asking, *, title: str, details: str = "", about: str = ""
) -> Proposal:
    """Return an open proposal of `body`, which must be JSON. Its id may grow in the store, if it is taken."""
    draft = Proposal(
        id="",
        kind=kind,
        about=about,
        title=title,
        details=details,
        body=body,
        digest="",
        session_id=asking.session_id,
        source=asking.source,
        key=asking.key,
        created_at=asking.at,
        expires_at=asking.at + LIFETIME,
    )
    digest = seal(draft)
    return replace(draft, digest=digest, id=short_id(digest, ID_LENGTHS[0]))


def seal(proposal: Proposal) -> str:
    """Return the SHA-256 of everything that an answer is an answer to."""
    told = [
        *(proposal.kind, proposal.about, proposal.title, proposal.details, proposal.body),
        *(proposal.session_id, str(proposal.source), proposal.key),
    ]
    text = json.dumps(told, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def short_id(digest: str, length: int) -> str:
    """Return the first `length` characters of a digest, in letters and digits that nobody mixes up."""
    number = int(digest, 16)
    return "".join(_ALPHABET[(number >> (251 - 5 * place)) & 31] for place in range(min(length, 50)))


def typed_id(text: str) -> str:
    """Return the id that a person meant: case, and letters that look like digits, do not matter."""
    return text.strip().lower().translate(_MISREAD)


def visible(text: str) -> str:
    """Return `text` with what an eye cannot see written out: what is approved must be what is read."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(char) for char in text)


def _visible(char: str) -> str:
    if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"}:
        return char
    return f"<U+{ord(char):04X}>"
