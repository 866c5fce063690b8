"""The audit log: what was done, by whom, and who allowed it. Values and the seam; knows no SQL and no hash."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias

AuditKind: TypeAlias = Literal["call", "answer", "lift", "person", "route", "config", "login"]
"""What an entry is about: a tool call that ended; the owner's answer to a proposal; a budget or a stopped conversation
that was let go on; somebody let in or shut out; a binding; the settings and what steers agents; who came in by HTTP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One line of the log. It names calls and proposals, and holds digests of what they said, never the words."""

    seq: int
    at: datetime
    kind: str
    body: Mapping[str, Any]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditProof:
    """What a look at the whole log says. `head` is the last entry, as `NUMBER:DIGEST`: worth keeping elsewhere."""

    first: int
    entries: int
    head: str
    problems: Sequence[str]


class Audit(Protocol):
    """Is told what nothing else writes down."""

    async def note(self, kind: AuditKind, body: Mapping[str, Any], *, at: datetime) -> None:
        """Append an entry."""
        ...
