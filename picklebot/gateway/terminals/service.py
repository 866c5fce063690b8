"""What a daemon does for a terminal that joined it. Seams only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from picklebot.core.events import OutboundEvent
from picklebot.core.source import Source
from picklebot.core.talk import Bill, Delay, Place, Wish, Words
from picklebot.store.base import Fates


class Desk(Protocol):
    """Tells a terminal where it is, and lets it go elsewhere."""

    async def enter(self, source: Source, wish: Wish) -> Place:
        """Go where `wish` says.

        Raises:
            NotFound: there is no such agent or session.
        """
        ...

    async def place(self, source: Source) -> Place:
        """Return where a message would go now."""
        ...

    async def find(self, session_id: str) -> str:
        """Return the whole id of a session.

        Raises:
            NotFound: no session, or more than one, begins so.
        """
        ...

    def words(self) -> Words:
        """Return what can be typed."""
        ...


class Accounts(Protocol):
    """Says what holds a session up, and what a turn has cost."""

    async def delay(self, session_id: str) -> Delay | None:
        """Return until when a session waits, if it does."""
        ...

    async def bill(self, event_id: str, session_id: str) -> Bill:
        """Return what the turn of a message has used so far."""
        ...


class Mail(Protocol):
    """Replies that wait for a terminal."""

    async def waiting(self, to: Source) -> Sequence[OutboundEvent]:
        """Return the replies to `to` that nobody has acknowledged, oldest first."""
        ...

    async def shown(self, event_id: str, to: Source, *, at: datetime) -> None:
        """A person has read a reply; does nothing where it is not one to `to`, or was acknowledged before."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """All of it. `stop_turn` ends a session's running turn; `notices` are what a person should read first."""

    desk: Desk
    accounts: Accounts
    fates: Fates
    mail: Mail
    stop_turn: Callable[[str], bool]
    now: Callable[[], datetime]
    notices: Sequence[str] = ()
