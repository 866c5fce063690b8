"""A conversation between one terminal and a daemon in this process.

Promises that what was said is followed to the end of its turn. Knows no screen and no keyboard.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from picklebot.app import App
from picklebot.channels.base import Accepted
from picklebot.channels.terminal import TerminalChannel
from picklebot.cli.output import remark
from picklebot.cli.plain_view import View
from picklebot.clock import SystemClock
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
from picklebot.errors import NotFound
from picklebot.store.base import Session

FRAME = 0.04  #: seconds between two drawings of a text that grows

HEARD: tuple[type[Event], ...] = (OutboundEvent, TextDelta, ToolStarted, ToolFinished, TurnFinished)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Where somebody wants to talk; nothing means: go on."""

    agent: str | None = None
    session: str | None = None
    new: bool = False


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

    def __init__(self, app: App, channel: TerminalChannel) -> None:
        self._app = app
        self._channel = channel
        self._session: str | None = None

    async def say(self, content: str, view: View, *, agent: str | None = None, session: str | None = None) -> TurnEnd:
        """Say `content`, and show the turn in `view` until it is over. Whoever shows the reply calls `shown` then.

        Raises:
            PicklebotError: it was not accepted.
        """
        view.begin()
        try:
            # Heard from before it is said, so that nothing of the turn is missed.
            with self._app.bus.subscribe(*HEARD, maxsize=1024) as events:
                accepted = await self._channel.say(content, agent=agent, session=session)
                self._session = accepted.session_id
                command = self._app.staff.commands.parse(content) is not None
                if not command and (until := await self._parked_until(accepted.session_id)) is not None:
                    remark(f"An earlier message of this session waits until {until:%H:%M} UTC; yours comes after it.")
                    spent = await self._app.store.refusals.holds(accepted.session_id, SystemClock().now())
                    return _later(accepted, until, "DaySpent" if spent else "Parked")
                return await self._follow(accepted, events, view, command=command)
        finally:
            self._session = None
            view.end()

    async def _parked_until(self, session_id: str) -> datetime | None:
        return await self._app.store.inbox.parked_until(session_id, SystemClock().now())

    def stop(self) -> bool:
        """Stop the turn that runs; return whether there was one."""
        return self._session is not None and self._app.staff.taker.stop(self._session)

    def shown(self, end: TurnEnd) -> None:
        """The person has seen the end of this turn."""
        for key in end.keys:
            self._channel.shown(key)

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


def _later(accepted: Accepted, until: datetime, kind: str) -> TurnEnd:
    """The message is on disk, and its turn comes after one that was put off."""
    error = f"an earlier message of this session waits until {until:%Y-%m-%d %H:%M} UTC"
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


async def enter(app: App, channel: TerminalChannel, wish: Wish) -> Session | None:
    """Go where `wish` says; return the session that is there, None where the first message will open one.

    Raises:
        NotFound: there is no such agent or session, or the session is another agent's.
    """
    sessions, source = app.store.sessions, channel.source
    if wish.agent is not None and wish.session is None:
        await app.staff.commands.run(source, ("agent", wish.agent))
    if wish.session is not None:
        session = await sessions.get(wish.session)
        if wish.agent not in {None, session.agent_id}:
            raise NotFound(f"session {session.id} is one of {session.agent_id!r}, not of {wish.agent!r}")
        await sessions.switch(source, session.id)
    if wish.new and wish.agent is not None:
        await sessions.start(source, app.library.get_agent(wish.agent).id, at=SystemClock().now())
    elif wish.new:
        await app.staff.commands.run(source, ("new", ""))
    return await sessions.current(source)


async def agent_of(app: App, channel: TerminalChannel) -> str:
    """Return the id of the agent that answers here."""
    session = await app.store.sessions.current(channel.source)
    return session.agent_id if session else app.staff.routing.resolve(channel.source)
