"""What a turn says at its end, as the events that carry it: to people, or to the agent that called.

Knows no turn in hand and no store.
"""

from collections.abc import Sequence

from picklebot.channels.split import split
from picklebot.core.events import DispatchEvent, OutboundEvent, Reply, TurnEvent
from picklebot.core.marks import Marks
from picklebot.jobs.heartbeat import CHANNEL as HEARTBEAT
from picklebot.jobs.heartbeat import audible
from picklebot.workers.destinations import destination
from picklebot.workers.inheritance import result_of
from picklebot.workers.mentions import signed
from picklebot.workers.stage import Stage


async def replies(
    stage: Stage, event: TurnEvent, text: str, *, error: str | None, also: tuple[str, ...], marks: Marks
) -> Sequence[Reply]:
    """Return the events that carry `text` to where the reply to `event` goes: to people one a part, maybe none.

    `also` are the ids of other messages that they answer, `marks` what was read for it.
    """
    text, error = stage.redact(text), stage.redact(error) if error else error
    if isinstance(event, DispatchEvent):
        return [result_of(event, text, error=error, at=stage.clock.now(), marks=marks)]
    if event.source.channel == HEARTBEAT:
        text = audible(text)
    to = await destination(event, stage.places)
    if to is None or not text:  # an external agent may have said all of it before the end
        return []
    text = signed(event, text)
    channel = stage.channels.get(to.channel)
    return [
        OutboundEvent(
            session_id=event.session_id,
            source=event.source,
            to=to,
            cause_id=event.id,
            content=content,
            error=error,
            part=part,
            also=also,
            created_at=stage.clock.now(),
        )
        for part, content in enumerate(split(text, channel.max_length if channel else None))
    ]
