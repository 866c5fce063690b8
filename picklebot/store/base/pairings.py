"""Strangers at the door and who was let in: the seam. Knows no SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from picklebot.core.people import Grant, Knock, Role
from picklebot.core.source import Source


class Pairings(Protocol):
    """Keeps who knocked and who was let in."""

    async def knock(self, channel: str, person: str, *, name: str, at: datetime) -> Knock | None:
        """Let a stranger knock; None where they did before, or where too many wait."""
        ...

    async def told(self, knock: Knock) -> None:
        """The stranger has the code."""
        ...

    async def pending(self, now: datetime) -> Sequence[Knock]:
        """Return who waits, oldest first."""
        ...

    async def approve(self, code: str, role: Role, *, by: Source, at: datetime) -> Grant | None:
        """Let in whoever has that code, which is spent then; None if nobody has it, which is counted."""
        ...

    async def turn_away(self, code: str, *, at: datetime) -> Knock | None:
        """Refuse whoever has that code: they hear nothing more for as long as it would have lived."""
        ...

    async def role_of(self, channel: str, person: str) -> Role | None:
        """Return as what somebody was let in; None if they were not."""
        ...

    async def grants(self) -> Sequence[Grant]:
        """Return who was let in, oldest first."""
        ...

    async def revoke(self, channel: str, person: str, *, at: datetime) -> bool:
        """Shut somebody out; return whether they were let in."""
        ...
