"""Messages out of turn: what an agent posts while nobody waits for its reply, and what there is to say of a task.

Promises that a message is on disk when the agent hears that it is queued, and that one call posts once, however often
its turn is resumed. Knows no platform.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Protocol

from picklebot.channels.base import Channel
from picklebot.channels.split import split
from picklebot.clock import Clock
from picklebot.core.bus import EventBus
from picklebot.core.events import Event, OutboundEvent
from picklebot.core.finishing import to_the_end
from picklebot.core.ids import new_id
from picklebot.core.proposals import Proposal
from picklebot.core.source import Source
from picklebot.jobs.task import Task
from picklebot.tools.base import ToolContext
from picklebot.workers.destinations import LastPlace
from picklebot.workers.proposal_words import in_full

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # as in `core.ids`
_SHOWN = 3_000  # characters of a question; /approve alone shows more of it
_MOMENT, _REST = 10, 14  # characters of an id: the time, and what tells it from others of that time


class Posts(Protocol):
    """Writes messages down."""

    async def post(self, events: Sequence[OutboundEvent]) -> bool:
        """Make messages due, all or none; return whether they are new."""
        ...


class Posting:
    """Puts messages on their way."""

    def __init__(
        self,
        *,
        posts: Posts,
        places: LastPlace,
        channels: Mapping[str, Channel],
        bus: EventBus,
        clock: Clock,
        redact: Callable[[str], str] = str,
    ) -> None:
        """`redact` takes known secrets out of what agents post."""
        self._redact = redact
        self._posts = posts
        self._places = places
        self._channels = channels
        self._bus = bus
        self._clock = clock

    async def post(self, content: str, context: ToolContext) -> str:
        """Put a message on its way to where the job delivers, else to where the owner spoke last.

        Raises:
            ValueError: there is no such place.
        """
        to = await self.place(context.deliver)
        if to is None:
            raise ValueError("there is nobody to post to: the owner has not spoken anywhere yet")
        first = OutboundEvent(
            session_id=context.session_id,
            source=context.source,
            to=to,
            cause_id=context.cause_id,
            content=content,
            created_at=self._clock.now(),
        )
        await self.say(first, name=lambda part: id_of(context.cause_id, f"{context.key}:{part}"))
        return str(to)

    async def say(self, event: OutboundEvent, *, name: Callable[[int], str]) -> None:
        """Put a message on its way in as many parts as it takes, once; `name` gives each part its id."""
        texts = self._split(self._redact(event.content), event.to)
        await self.put([replace(event, id=name(part), content=text, part=part) for part, text in enumerate(texts)])

    async def tell(self, task: Task, words: str) -> None:
        """Say something of a task where its replies go; where there is no such place, the log has it."""
        if (to := await self.place(task.place)) is not None:
            event = OutboundEvent(
                id=new_id(),
                session_id=task.session_id or "",
                source=Source.parse(task.job_id),
                to=to,
                content=words,
                created_at=self._clock.now(),
            )
            await self.put([event])

    async def ask(self, proposal: Proposal) -> None:
        """Put a question before the owner where they spoke last, once for the question; /approve has it in any case."""
        if (to := await self._places.last()) is not None:
            words = (
                f"An agent asks this in {proposal.source}. "
                f"/approve {proposal.id} agrees, /deny {proposal.id} refuses.\n\n{in_full(proposal, limit=_SHOWN)}"
            )
            texts = self._split(words, to)
            answers = (("Approve", f"/approve {proposal.id}"), ("Deny", f"/deny {proposal.id}"))
            events = [
                OutboundEvent(
                    id=id_of(proposal.key, f"{proposal.key}:asked:{part}" if part else f"{proposal.key}:asked"),
                    session_id=proposal.session_id,
                    source=proposal.source,
                    to=to,
                    content=text,
                    choices=answers if part == len(texts) - 1 else (),
                    part=part,
                    created_at=self._clock.now(),
                )
                for part, text in enumerate(texts)
            ]
            await self.put(events)

    async def warn(self, words: str, about: Event) -> None:
        """Tell the owner something about an event where they spoke last, once; the log has it in any case."""
        if (to := await self._places.last()) is not None:
            warning = OutboundEvent(
                id=id_of(about.id, "warned"),
                session_id=about.session_id,
                source=about.source,
                to=to,
                content=words,
                created_at=self._clock.now(),
            )
            await self.put([warning])

    def clear(self, text: str) -> str:
        """Return `text` without the secrets that are known."""
        return self._redact(text)

    async def put(self, events: Sequence[OutboundEvent]) -> None:
        """Put messages on their way, unless they are already. Who is cancelled meanwhile leaves when they are."""
        await to_the_end(self._put(events), name="posting")

    async def _put(self, events: Sequence[OutboundEvent]) -> None:
        if await self._posts.post(events):
            for event in events:
                await self._bus.publish(event)

    async def place(self, deliver: str | None) -> Source | None:
        """Return where something goes that is delivered as a job says; None: there is no such place."""
        return await self._places.last() if deliver in {None, "none", "last"} else Source.parse(str(deliver))

    def _split(self, content: str, to: Source) -> list[str]:
        channel = self._channels.get(to.channel)
        return split(content, channel.max_length if channel else None)


def id_of(cause_id: str, key: str) -> str:
    """Return the one id of what a call sends; it sorts beside its cause."""
    number = int.from_bytes(blake2b(key.encode(), digest_size=9).digest(), "big")
    drawn = "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in range(_REST))
    return cause_id[:_MOMENT] + drawn
