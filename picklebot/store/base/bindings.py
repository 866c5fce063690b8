"""Which sources a person has bound to which agent: values and the seam. Knows no SQL, and no other bindings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from picklebot.core.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeBinding:
    """A binding made in a conversation. `literal`: the pattern is a source as it is spelled."""

    pattern: str
    literal: bool
    agent_id: str


class Bindings(Protocol):
    """Keeps the bindings that were made in conversations."""

    async def all(self) -> Sequence[MadeBinding]:
        """Return them, oldest first."""
        ...

    async def bind(self, binding: MadeBinding, *, here: Source, answers: str, at: datetime) -> None:
        """Make a binding, or remake it, and let `here`'s next message go to a session with the agent `answers`."""
        ...

    async def unbind(self, binding: MadeBinding, *, here: Source, answers: str, at: datetime) -> None:
        """Remove a binding, and let `here`'s next message go to a session with the agent `answers`."""
        ...
