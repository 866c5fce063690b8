"""Conversations in which two programs keep each other talking: noticed, and stopped.

Promises that such a conversation is stopped once, in words, with its messages kept for whoever lets it go on, and that
the owner is never held. Looks at texts and times alone, because no platform says of all its programs that they are
some. What is remembered of a conversation is bounded, and lost with a restart; that it was stopped is not lost.
"""

import logging
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from picklebot.agent.budget import Withheld
from picklebot.core.events import InboundEvent, TurnEvent
from picklebot.core.source import Source
from picklebot.store.base import Waiting

logger = logging.getLogger(__name__)

KEY = "loop:"  #: what the name of a stopped conversation begins with
REMEMBERED = 1_000  #: conversations; those that were silent longest are forgotten first
ECHOES = 3  #: messages running that say only what they were answered before
REPEATS = 8  #: messages that say the same, each after an answer
STOPPED = timedelta(days=1)  #: how long it is stopped for, if nobody lets it go on

Tell = Callable[[str, InboundEvent], Awaitable[None]]


class Looping(Withheld):
    """Two programs seem to keep each other talking: the turn waits for the owner, or for a day."""

    once = True

    @property
    def notice(self) -> str:
        """What is said in that conversation, once."""
        return f"I stop here: {self}. The owner can let me go on."


@dataclass(slots=True)
class _Exchanges:
    """What came after an answer, lately: when, and what it said. `echoes` counts what only said that answer again."""

    last: str = ""
    answer: str = ""
    ended: datetime | None = None
    echoes: int = 0
    said: deque[tuple[datetime, str]] = field(default_factory=deque[tuple[datetime, str]])


class LoopBreaker:
    """Watches conversations. `exchanges` within `seconds` are more than people have; 0: none is too many.

    `watched` are the sources of those who may be programs; of the others that are not the owner's only echoes count.
    """

    def __init__(
        self,
        *,
        exchanges: int,
        seconds: float,
        is_owner: Callable[[Source], bool],
        watched: Callable[[Source], bool],
        now: Callable[[], datetime],
        tell: Tell,
    ) -> None:
        """`tell` says something to the owner, beside a message that it is about."""
        self._exchanges = exchanges
        self._span = timedelta(seconds=seconds)
        self._is_owner = is_owner
        self._watched = watched
        self._now = now
        self._tell = tell
        self._lately: OrderedDict[Source, _Exchanges] = OrderedDict()
        self._stopped: dict[str, datetime] = {}

    def recall(self, waiting: Iterable[Waiting]) -> None:
        """Learn what was stopped before the start."""
        self._stopped |= {each.budget: each.until for each in waiting if each.budget.startswith(KEY)}

    async def admit(self, event: TurnEvent) -> None:
        """Look at a message whose turn begins.

        Raises:
            Looping: its conversation is stopped, now or before.
        """
        source = event.source
        if not isinstance(event, InboundEvent) or source.is_job or self._is_owner(source):
            return
        key = f"{KEY}{source}"
        if (until := self._stopped.get(key)) is not None:
            if self._now() < until:
                raise _looping(key, until, "two programs seemed to keep each other talking")
            self.resume(key)
        if why := self._count(event, self._of(source)):
            until = self._stopped[key] = self._now() + STOPPED
            logger.warning("the conversation with %s is stopped: %s", source, why, extra={"event": event.id})
            words = f"I stopped answering {source}: {why}. /approve {key} lets me go on; without it I do in a day."
            await self._tell(words, event)
            raise _looping(key, until, why)

    def answered(self, event: TurnEvent, text: str) -> None:
        """Learn how a turn ended."""
        if (lately := self._lately.get(event.source)) is not None:
            lately.answer, lately.ended = _plain(text), self._now()

    def resume(self, key: str) -> None:
        """Let a conversation go on, as if nothing had been said in it before; what is none is left alone."""
        if self._stopped.pop(key, None) is None:
            return
        self._lately.pop(Source.parse(key.removeprefix(KEY)), None)

    def _of(self, source: Source) -> _Exchanges:
        lately = self._lately.setdefault(source, _Exchanges())
        self._lately.move_to_end(source)
        if len(self._lately) > REMEMBERED:
            self._lately.popitem(last=False)
        return lately

    def _count(self, event: InboundEvent, lately: _Exchanges) -> str:
        """Count a message, if it came after an answer; return why it is one too many, or ""."""
        if lately.ended is None or event.created_at <= lately.ended or event.id == lately.last or not self._exchanges:
            return ""  # what was written before the answer was there is no reaction to it
        lately.last, words = event.id, _plain(event.content)
        lately.echoes = lately.echoes + 1 if words == lately.answer else 0
        while lately.said and lately.said[0][0] < event.created_at - self._span:
            lately.said.popleft()
        lately.said.append((event.created_at, words))
        span = f"{self._span.total_seconds() / 60:g} minutes"
        if lately.echoes >= ECHOES:
            return f"{lately.echoes} messages running say only what I said before"
        if not self._watched(event.source):
            return ""
        if (same := sum(each == words for _, each in lately.said)) >= REPEATS:
            return f"{same} messages in {span} say the same, each after an answer"
        if (count := len(lately.said)) >= self._exchanges:
            return f"{count} messages came within {span}, each after an answer, as between two programs"
        return ""


def _looping(key: str, until: datetime, why: str) -> Looping:
    return Looping(why, until=until, budget=key, tag=f"{until:%Y-%m-%d %H:%M:%S}")


def _plain(text: str) -> str:
    """Return what two texts have in common that say the same."""
    return " ".join(text.split()).casefold()[:500]
