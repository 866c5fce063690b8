"""What external agents say before, between and after the ends of turns, put on its way.

Promises that one file is one message, however often it is found, and that nothing goes to anybody but those in the
conversation and the owner. Knows no file and no process.
"""

from collections.abc import Callable
from typing import Protocol

from picklebot.clock import Clock
from picklebot.core.events import InboundEvent, OutboundEvent
from picklebot.core.ids import id_of_part
from picklebot.core.source import Source
from picklebot.errors import NotFound
from picklebot.ipc.letters import Letter, order
from picklebot.jobs.heartbeat import CHANNEL as HEARTBEAT
from picklebot.jobs.heartbeat import audible
from picklebot.store.base import Session
from picklebot.workers.company import OWN, UNATTENDED
from picklebot.workers.destinations import LastPlace, destination
from picklebot.workers.mentions import signed
from picklebot.workers.posting import Posting


class Sessions(Protocol):
    """Finds conversations."""

    async def get(self, session_id: str) -> Session:
        """Return one. NotFound: there is none."""
        ...


class Voice:
    """Speaks for external agents."""

    def __init__(
        self,
        *,
        posting: Posting,
        places: LastPlace,
        sessions: Sessions,
        is_owner: Callable[[Source], bool],
        clock: Clock,
    ) -> None:
        self._posting = posting
        self._places = places
        self._sessions = sessions
        self._is_owner = is_owner
        self._clock = clock

    async def in_turn(self, letter: Letter, event: InboundEvent) -> None:
        """Put on its way what was said on the way to the answer of `event`.

        Raises:
            ValueError: it may not go there.
        """
        here = await destination(event, self._places)
        to = await self._place(letter, event.source, here)
        text = audible(letter.content) if event.source.channel == HEARTBEAT else letter.content
        if to is not None and text.strip():
            await self._say(letter, signed(event, text), to, source=event.source, about=(event.session_id, event.id))

    async def unasked(self, letter: Letter, session_id: str) -> None:
        """Put on its way what was said while no turn was in hand.

        Raises:
            ValueError: it may not go there, or nobody is in that conversation.
        """
        try:
            session = await self._sessions.get(session_id)
        except NotFound as exc:
            raise ValueError("its conversation is gone") from exc
        here = None if session.source.channel in UNATTENDED else session.source
        to = await self._place(letter, session.source, here)
        if to is None:
            raise ValueError(f"nobody is in the conversation {session.source}, and its turn has ended")
        await self._say(letter, letter.content, to, source=session.source, about=(session_id, None))

    async def _place(self, letter: Letter, source: Source, here: Source | None) -> Source | None:
        """Return where a letter goes: `here`, unless it names a place of the owner's, and talks with the owner."""
        wanted = letter.channel
        if wanted is None or (here is not None and wanted in {str(here), here.channel}):
            return here
        if not (self._is_owner(source) or source.channel in OWN):
            raise ValueError(f"channel: this is a conversation with {source}, and nothing of it goes to {wanted!r}")
        if wanted == "last":
            return await self._places.last()
        to = Source.parse(wanted)
        if not self._is_owner(to):
            raise ValueError(f"channel: {wanted!r} is no place of the owner's; it may be one, `last`, or left out")
        return to

    async def _say(
        self, letter: Letter, text: str, to: Source, *, source: Source, about: tuple[str, str | None]
    ) -> None:
        session_id, cause_id = about
        event = OutboundEvent(
            session_id=session_id,
            source=source,
            to=to,
            cause_id=cause_id,
            content=text,
            created_at=self._clock.now(),
        )
        # By the file alone, wherever it is found: in a turn, after it, or after a crash.
        key, moment = f"{session_id}:{letter.name}", order(letter.name)[0] // 1_000_000
        await self._posting.say(event, name=lambda part: id_of_part(key, part, at_ms=moment))
