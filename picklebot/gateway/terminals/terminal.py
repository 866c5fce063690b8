"""One terminal that joined: its frames, and what it is told.

Promises that a message is accepted before it is said to be, once for each id, however often it is sent; that a reply
stays in the outbox until the terminal has shown it; and that one terminal is not told what another one has asked for.
Knows no socket but by `push`.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from pydantic import ValidationError

from picklebot.channels.base import Incoming
from picklebot.core.events import Event, Notice, OutboundEvent, TurnFinished
from picklebot.core.source import Source
from picklebot.core.talk import Wish, to_json
from picklebot.core.text import MAX_CONTENT
from picklebot.errors import ChannelError, PicklebotError, Transient
from picklebot.gateway.entrance import Entrance
from picklebot.gateway.hub import encode
from picklebot.gateway.refusals import mistakes_in
from picklebot.gateway.terminals.frames import TOLD, spell
from picklebot.gateway.terminals.service import Service
from picklebot.gateway.terminals.shown import Ask, StopTurn, WasShown, Words
from picklebot.gateway.wire import frame

OWN = 64  #: messages of one terminal whose turns it is told of


class Speakers:
    """Knows which terminal said what, for as long as it is there."""

    def __init__(self) -> None:
        self._of: dict[str, object] = {}

    def add(self, event_id: str, terminal: object) -> None:
        """A terminal said it."""
        self._of[event_id] = terminal

    def leave(self, terminal: object) -> None:
        """A terminal has gone: what it still waits for is anybody's."""
        self._of = {event_id: each for event_id, each in self._of.items() if each is not terminal}

    def other(self, event: Event, terminal: object) -> bool:
        """Return whether what an event is about was said at another terminal that is there."""
        found = [self._of.get(event_id) for event_id in _about(event)]
        return terminal not in found and any(each is not None for each in found)


class Push(Protocol):
    """Sends at once, or drops whoever reads too slowly."""

    def push(self, ready: bytes) -> bool:
        """Take a frame; return whether it could."""
        ...


class Terminal:
    """A hub's viewer: it is told of the turns of its own messages, and of replies to its user."""

    def __init__(
        self, *, source: Source, service: Service, entrance: Entrance, speakers: Speakers, socket: Push
    ) -> None:
        self.seq = 0
        self.live = False
        self._source = source
        self._service = service
        self._entrance = entrance
        self._speakers = speakers
        self._socket = socket
        self._own: OrderedDict[str, None] = OrderedDict()
        self._begun: OrderedDict[str, str] = OrderedDict()  # messages of which only the first pieces have come
        self._answers: Mapping[str, Callable[[Mapping[str, Any]], Awaitable[Any]]] = {
            "enter": self._enter,
            "place": self._place,
            "find": self._find,
            "words": self._words,
            "delay": self._delay,
            "bill": self._bill,
            "fate": self._fate,
        }

    def wants(self, event: Event) -> bool:
        """Return whether it is told of an event."""
        match event:
            case OutboundEvent():
                return event.to == self._source and not self._speakers.other(event, self)
            case Notice() if isinstance(event, TOLD):
                # Also of its source's turns that it did not hear itself begin: they can be quicker than `accepted`.
                mine = event.source == self._source and not self._speakers.other(event, self)
                return mine or any(event_id in self._own for event_id in _about(event))
            case _:
                return False

    def push(self, ready: bytes) -> bool:
        """Tell it something."""
        return self._socket.push(ready)

    def tell(self, **told: Any) -> None:
        """Send it a frame of its own."""
        self._socket.push(frame(spell(told).encode("utf-8", "replace")))

    async def tell_what_waits(self) -> None:
        """Show it the replies that nobody has shown yet."""
        for event in await self._service.mail.waiting(self._source):
            if not self._speakers.other(event, self):
                self.push(encode(event))

    async def hear(self, given: Mapping[str, Any]) -> None:
        """Take a frame."""
        try:
            match given["type"]:
                case "more":
                    self._hear_more(Words.model_validate(given))
                case "message":
                    await self._hear_message(Words.model_validate(given))
                case "ask":
                    await self._hear_question(Ask.model_validate(given))
                case "stop":
                    self._service.stop_turn(StopTurn.model_validate(given).session)
                case "shown":
                    key = WasShown.model_validate(given).key
                    await self._service.mail.shown(key, self._source, at=self._service.now())
                case other:
                    self.tell(type="error", code="unknown_frame", message=f"no frame is called {str(other)[:64]!r}")
        except ValidationError as exc:
            self.tell(type="error", code="bad_frame", message=str(mistakes_in(exc)))

    def leave(self) -> None:
        """It has gone."""
        self._speakers.leave(self)

    def _hear_more(self, piece: Words) -> None:
        begun = self._begun.pop(piece.id, "") + piece.content
        self._begun[piece.id] = begun[: MAX_CONTENT + 1]  # more is refused, however much
        if len(self._begun) > 1:  # a terminal says one thing at a time
            self._begun.popitem(last=False)

    async def _hear_message(self, message: Words) -> None:
        content = self._begun.pop(message.id, "") + message.content
        try:
            if len(content) > MAX_CONTENT:
                raise ChannelError(f"the message has more than {MAX_CONTENT:,} characters")
            accepted = await self._entrance.bring(
                Incoming(
                    source=self._source,
                    content=content,
                    key=message.id,
                    agent=message.agent,
                    session=message.session,
                )
            )
        except PicklebotError as exc:
            self.tell(type="refused", id=message.id, **_refusal(exc))
            return
        self._follow(accepted.event_id)
        self.tell(
            type="accepted",
            id=message.id,
            event_id=accepted.event_id,
            session_id=accepted.session_id,
            duplicate=accepted.duplicate,
        )

    async def _hear_question(self, ask: Ask) -> None:
        answer = self._answers.get(ask.what)
        try:
            if answer is None:
                raise ChannelError(f"this daemon has no answer to {ask.what[:64]!r}")
            value = await answer(ask.given)
        except PicklebotError as exc:
            self.tell(type="refused", n=ask.n, **_refusal(exc))
        else:
            self.tell(type="answer", n=ask.n, value=value)

    def _follow(self, event_id: str) -> None:
        self._own[event_id] = None
        self._speakers.add(event_id, self)
        if len(self._own) > OWN:
            self._own.popitem(last=False)

    async def _enter(self, given: Mapping[str, Any]) -> Any:
        agent, session = _text(given, "agent"), _text(given, "session")
        wish = Wish(agent=agent, session=session, new=given.get("new") is True)
        return to_json(await self._service.desk.enter(self._source, wish))

    async def _place(self, given: Mapping[str, Any]) -> Any:
        return to_json(await self._service.desk.place(self._source))

    async def _find(self, given: Mapping[str, Any]) -> Any:
        return await self._service.desk.find(_text(given, "session") or "")

    async def _words(self, given: Mapping[str, Any]) -> Any:
        return to_json(self._service.desk.words())

    async def _delay(self, given: Mapping[str, Any]) -> Any:
        delay = await self._service.accounts.delay(_text(given, "session") or "")
        return to_json(delay) if delay else None

    async def _bill(self, given: Mapping[str, Any]) -> Any:
        event_id, session = _text(given, "event_id") or "", _text(given, "session") or ""
        return to_json(await self._service.accounts.bill(event_id, session))

    async def _fate(self, given: Mapping[str, Any]) -> Any:
        """What became of a message that it said before, on another connection; its turn is told of from here on."""
        event_id = _text(given, "event_id") or ""
        self._follow(event_id)
        fate = await self._service.fates.of(event_id, self._service.now())
        for event in fate.replies:
            if event.to == self._source:
                self.push(encode(event))
        return {"state": fate.state, "error": fate.error, "kind": fate.kind}


def _about(event: Event) -> tuple[str, ...]:
    also = event.also if isinstance(event, OutboundEvent | TurnFinished) else ()
    return (event.cause_id or "", *also)


def _refusal(exc: PicklebotError) -> dict[str, Any]:
    retry_after = exc.retry_after if isinstance(exc, Transient) else None
    return {"kind": type(exc).__name__, "message": str(exc), "retry_after": retry_after}


def _text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    return value if isinstance(value, str) else None
