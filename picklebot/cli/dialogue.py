"""A conversation between one terminal and a daemon.

Promises that what was said is followed to the end of its turn. Knows no screen, no keyboard, and not where the daemon
is.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from picklebot.channels.base import Accepted
from picklebot.cli.daemon import Daemon
from picklebot.cli.output import remark
from picklebot.cli.plain_view import View
from picklebot.core.bus import Subscription
from picklebot.core.events import (
    Event,
    OutboundEvent,
    Outcome,
    TextDelta,
    ToolFinished,
    ToolStarted,
    TurnFinished,
)
from picklebot.core.talk import Delay
from picklebot.workers.commands import Commands

FRAME = 0.04  #: seconds between two drawings of a text that grows


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnd:
    """How what was said came to its end. `keys` are its replies, to be acknowledged once they are shown."""

    accepted: Accepted
    outcome: Outcome
    reply: str
    keys: Sequence[str]
    error: str | None = None
    kind: str = ""


class Dialogue:
    """Says one thing at a time, and hears what comes of it."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._session: str | None = None
        self._view: View | None = None

    async def say(self, content: str, view: View, *, agent: str | None = None, session: str | None = None) -> TurnEnd:
        """Say `content`, and show the turn in `view` until it is over. Whoever shows the reply calls `shown` then.

        Raises:
            PicklebotError: it was not accepted.
        """
        view.begin()
        self._view = view
        try:
            # Heard from before it is said, so that nothing of the turn is missed.
            with self._daemon.hear() as events:
                accepted = await self._daemon.say(content, agent=agent, session=session)
                self._session = accepted.session_id
                command = Commands.parse(content) is not None
                if not command and (delay := await self._daemon.delay(accepted.session_id)) is not None:
                    until = f"{delay.until:%H:%M} UTC"
                    remark(f"An earlier message of this session waits until {until}; yours comes after it.")
                    return _later(accepted, delay)
                return await self._follow(accepted, events, view, command=command)
        finally:
            self._session = self._view = None
            view.end()

    def note(self, words: str) -> bool:
        """Say something about the daemon in the turn that is shown; return whether one is."""
        if self._view is not None:
            self._view.note(words)
        return self._view is not None

    def stop(self) -> bool:
        """Stop the turn that runs; return whether there was one."""
        return self._session is not None and self._daemon.stop_turn(self._session)

    def shown(self, end: TurnEnd) -> None:
        """The person has seen the end of this turn."""
        for key in end.keys:
            self._daemon.tray.shown(key)

    async def _follow(self, accepted: Accepted, events: Subscription[Event], view: View, *, command: bool) -> TurnEnd:
        replies: list[OutboundEvent] = []
        async for event in events:
            if not _concerns(event, accepted.event_id):
                continue
            match event:
                case OutboundEvent():
                    replies.append(event)
                    view.reply(event)
                    if command:  # it has no turn that could finish
                        return _end(accepted, replies, None)
                case TurnFinished():
                    return _end(accepted, replies, event)
                case TextDelta() | ToolStarted() | ToolFinished():
                    view.show(event)
                    if not len(events):
                        await _draw(view)
                case _:
                    raise AssertionError(f"not subscribed to {type(event)}")
        raise AssertionError("the bus closes no inbox")


def _concerns(event: Event, event_id: str) -> bool:
    """Return whether an event is about what was said, also where it is answered together with something else."""
    match event:
        case OutboundEvent():
            return event.answers(event_id)
        case TurnFinished():
            return event.ends(event_id)
        case _:
            return event.cause_id == event_id


async def _draw(view: View) -> None:
    """Draw, and let others work for a while: three times as long as drawing took, at least one frame."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    view.draw()
    await asyncio.sleep(max(FRAME, 3 * (loop.time() - began)))


def _later(accepted: Accepted, delay: Delay) -> TurnEnd:
    """The message is on disk, and its turn comes after one that was put off."""
    error = f"an earlier message of this session waits until {delay.until:%Y-%m-%d %H:%M} UTC"
    kind = "DaySpent" if delay.spent else "Parked"
    return TurnEnd(accepted=accepted, outcome="parked", reply="", keys=(), error=error, kind=kind)


def _end(accepted: Accepted, replies: Sequence[OutboundEvent], finished: TurnFinished | None) -> TurnEnd:
    return TurnEnd(
        accepted=accepted,
        outcome=finished.outcome if finished else "done",
        reply="\n\n".join(reply.content for reply in replies),
        keys=[reply.id for reply in replies],
        error=finished.error if finished else None,
        kind=finished.kind if finished else "",
    )
