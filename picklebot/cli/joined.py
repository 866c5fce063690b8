"""A daemon that runs beside this terminal, which has joined it.

Promises what `Daemon` does, also where the daemon dies and comes back in between: what was not accepted is offered
again, what was said while the line was cut is caught up on, and a reply is acknowledged once it was shown, and told
once. Knows no screen.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from picklebot.channels.base import Accepted
from picklebot.channels.terminal import Tray, whoami
from picklebot.cli.daemon import HEARD, INBOX
from picklebot.cli.dial import Joining, dial
from picklebot.cli.link import Link
from picklebot.config import Config
from picklebot.core.bus import EventBus, Subscription
from picklebot.core.events import Event, OutboundEvent, Outcome, TextDelta, ToolStarted, TurnFinished
from picklebot.core.ids import new_id
from picklebot.core.source import Source
from picklebot.core.talk import Bill, Delay, Place, Wish, Words, delay_from_json, to_json
from picklebot.errors import ChannelUnavailable, PicklebotError
from picklebot.gateway.terminals.frames import event_of, pieces

PATIENCE: Mapping[str, float] = {"ask": 60.0}  #: seconds without a daemon; a conversation waits for ever
REMEMBERED = 1000  #: replies that are known when they come again
_OUTCOMES: Mapping[str, Outcome] = {"done": "done", "stopped": "stopped", "parked": "parked"}


@asynccontextmanager
async def open_joined(*, config: Config, role: str) -> AsyncGenerator["Joined", None]:
    """Join the daemon of this workspace for as long as the block lasts.

    Raises:
        PicklebotError: it cannot be joined; the class says what to do about it.
    """
    user = whoami()
    joining = await dial(config, user)
    link = Link(joining, lambda: dial(config, user), patience=PATIENCE.get(role))
    try:
        yield Joined(link, joining, user)
    finally:
        await link.close()


class Joined:
    """A `Daemon` over there."""

    def __init__(self, link: Link, joining: Joining, user: str) -> None:
        self.tray = Tray()
        self.notices: Sequence[str] = (f"joined the daemon (pid {joining.pid})", *joining.notices)
        self._link = link
        self._source = Source("cli", (user,))
        self._bus = EventBus()
        self._followed: dict[str, str] = {}  # what is being followed, and its session
        self._mid_text = False
        self._seen: OrderedDict[str, bool] = OrderedDict()  # replies that came, and whether they were shown
        self._last_place: Place | None = None
        self._tell: Callable[[str], None] = lambda words: None

    def tell_with(self, tell: Callable[[str], None]) -> None:
        """Let the person read through `tell` that the daemon went away, or came back."""
        self._tell = tell

    async def enter(self, wish: Wish) -> Place:
        """Go where `wish` says."""
        return self._placed(await self._link.ask("enter", **to_json(wish)))

    async def place(self) -> Place:
        """Return where a message would go now; while the line is cut, where it would have gone."""
        if self._last_place is not None and not self._link.up:
            return self._last_place
        return self._placed(await self._link.ask("place"))

    async def find(self, session_id: str) -> str:
        """Return the whole id of a session."""
        return str(await self._link.ask("find", session=session_id))

    async def words(self) -> Words:
        """Return what can be typed."""
        given = await self._link.ask("words")
        commands = [(name, usage, summary) for name, usage, summary in given["commands"]]
        return Words(commands=commands, agents=[(agent_id, said) for agent_id, said in given["agents"]])

    @contextmanager
    def hear(self) -> Generator[Subscription[Event], None, None]:
        """Hear what happens from now on."""
        self._mid_text = False
        try:
            with self._bus.subscribe(*HEARD, maxsize=INBOX) as events:
                yield events
        finally:
            self._followed.clear()

    async def say(self, content: str, *, agent: str | None, session: str | None) -> Accepted:
        """Say something; return once it is on disk."""
        key = new_id()
        *earlier, last = pieces(content)
        frames: list[dict[str, Any]] = [{"type": "more", "id": key, "content": piece} for piece in earlier]
        frames.append({"type": "message", "id": key, "content": last, "agent": agent, "session": session})
        answer = await self._link.call(key, frames)
        accepted = Accepted(
            event_id=answer["event_id"], session_id=answer["session_id"], duplicate=bool(answer["duplicate"])
        )
        self._followed[accepted.event_id] = accepted.session_id
        if accepted.duplicate:  # it was accepted on a line that was cut before it said so
            await self._catch_up(accepted.event_id, accepted.session_id)
        return accepted

    def stop_turn(self, session_id: str) -> bool:
        """Stop what runs in a session."""
        self._link.post(type="stop", session=session_id)
        return True

    async def delay(self, session_id: str) -> Delay | None:
        """Return until when a session waits, if it does."""
        given = await self._link.ask("delay", session=session_id)
        return delay_from_json(given) if given else None

    async def bill(self, event_id: str, session_id: str) -> Bill:
        """Return what the turn of a message has used."""
        return Bill(**await self._link.ask("bill", event_id=event_id, session=session_id))

    async def run(self, stop: asyncio.Event) -> None:
        """Keep the line until `stop` is set, and say of everything that was shown that it was."""
        await self._link.run(self, stop)

    async def settle(self) -> None:
        """Do nothing: what was shown went out over the line."""

    async def take(self, frame: Mapping[str, Any]) -> None:
        """Take a frame that answers nothing."""
        if frame["type"] == "event":
            await self._take(event_of(frame["event"]))

    def away(self, pid: int) -> None:
        """The line was cut."""
        self._tell(f"The daemon (pid {pid}) is gone; waiting for it to come back. Ctrl-C twice leaves.")

    async def back(self, pid: int) -> None:
        """Catch up on what was being followed."""
        self._tell(f"The daemon is back (pid {pid}).")
        for event_id, session_id in list(self._followed.items()):
            await self._catch_up(event_id, session_id)

    async def _catch_up(self, event_id: str, session_id: str) -> None:
        """Be told of a message's replies again, and of its end where that has come."""
        try:
            fate = await self._link.ask("fate", event_id=event_id)
        except PicklebotError as exc:
            fate = {"state": "failed", "error": str(exc), "kind": type(exc).__name__}
        if fate["state"] == "open":  # what the last daemon had said so far, this one says from the beginning
            if self._mid_text:
                void = TextDelta(session_id=session_id, source=self._source, cause_id=event_id, text="", restart=True)
                await self._bus.publish(void)
            return
        end = TurnFinished(
            session_id=session_id,
            source=self._source,
            cause_id=event_id,
            agent_id="",
            outcome=_OUTCOMES.get(fate["state"], "failed"),
            error=fate["error"],
            kind=await self._kind(fate, session_id),
        )
        await self._bus.publish(end)

    async def _kind(self, fate: Mapping[str, Any], session_id: str) -> str:
        """Return the class of what a message waits for, or failed with; a daemon of before may not say it."""
        if fate["state"] != "parked":
            return str(fate.get("kind") or "")
        delay = await self.delay(session_id)
        return "DaySpent" if delay is not None and delay.spent else "Parked"

    async def _take(self, event: Event) -> None:
        match event:
            case OutboundEvent():
                if event.id in self._seen:
                    if self._seen[event.id]:  # the last daemon died before it knew
                        self._link.post(type="shown", key=event.id)
                    return
                self._remember(event)
            case TextDelta():
                self._mid_text = True
            case ToolStarted():
                self._mid_text = False
            case _:
                pass
        await self._bus.publish(event)

    def _remember(self, reply: OutboundEvent) -> None:
        self._seen[reply.id] = False
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)

        def seen(future: asyncio.Future[None]) -> None:
            if not future.cancelled() and not isinstance(future.exception(), ChannelUnavailable):
                self._seen[reply.id] = True
                self._link.post(type="shown", key=reply.id)

        self.tray.offer(reply.id, reply.content).add_done_callback(seen)

    def _placed(self, given: Mapping[str, Any]) -> Place:
        self._last_place = Place(**given)
        return self._last_place
