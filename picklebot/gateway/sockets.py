"""`/ws`: one client, what it says and what it is shown.

Promises that `accepted` is sent only once the message is on disk, that a frame nobody understands is answered and ends
nothing, and that a client is shown its own sessions from its first moment. Knows no turn.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import assert_never, cast

from pydantic import ValidationError
from starlette.websockets import WebSocket

from picklebot.channels.base import Accepted, Incoming
from picklebot.core.events import Event
from picklebot.core.source import Source
from picklebot.errors import PicklebotError
from picklebot.gateway import frames
from picklebot.gateway.endpoint import Given
from picklebot.gateway.entrance import NOBODY, Entrance, key_of
from picklebot.gateway.frames import ClientName, MessageFrame, PingFrame, StopFrame, SubscribeFrame
from picklebot.gateway.hub import Hub
from picklebot.gateway.refusals import Refused
from picklebot.gateway.wire import SOCKET, TOO_SLOW, GatewaySocket
from picklebot.store.base import Sessions

OWN_SESSIONS = 50  #: the last ones of a client that it is shown at once
REPLAYS = 8  #: subscriptions of one client that are caught up at once or wait for it
PATIENCE = 0.25  #: seconds in which a client that was away says from where it goes on
STALL = 60.0  #: seconds in which a client has to read something while it catches up


class Greeting(Given):
    """What may stand in the address of a WebSocket."""

    client: ClientName = NOBODY


class Visitor:
    """A connected client, as the hub sees it."""

    def __init__(self, socket: GatewaySocket, source: Source) -> None:
        self.seq = 0
        self.live = False
        self.everything = False
        self.sessions: set[str] = set()
        self.source = source
        self._socket = socket

    def wants(self, event: Event) -> bool:
        """Return whether an event is of one of its sessions, or said by it, or it watches everything."""
        return self.everything or event.session_id in self.sessions or event.source == self.source

    def admit(self, session: str | None) -> None:
        """Let it see a session, or everything, from now on."""
        if session is None:
            self.everything = True
        else:
            self.sessions.add(session)

    def push(self, ready: bytes) -> bool:
        """Send a frame at once, or be dropped."""
        return self._socket.push(ready)

    @property
    def too_slow(self) -> bool:
        """Whether it was dropped for reading too slowly."""
        return self._socket.dropped == TOO_SLOW

    async def room(self) -> None:
        """Wait until it has read what it was sent; one that does not is dropped."""
        try:
            async with asyncio.timeout(STALL):
                await self._socket.room()
        except TimeoutError:
            self._socket.drop(TOO_SLOW, "you stopped reading; come back with `after`")


class Sockets:
    """Serves every WebSocket."""

    def __init__(self, *, entrance: Entrance, hub: Hub, sessions: Sessions, stop: Callable[[str], bool]) -> None:
        self._entrance = entrance
        self._hub = hub
        self._sessions = sessions
        self._stop = stop
        self.open: set[GatewaySocket] = set()

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one client until it leaves."""
        try:
            greeting = Greeting.model_validate(dict(websocket.query_params))
        except ValidationError:
            greeting = None
        await websocket.accept()
        socket = cast("GatewaySocket", websocket.scope["extensions"][SOCKET])
        if greeting is None:
            socket.drop(1008, "?client= takes letters, digits, '.', '_' and '-', and nothing else is known here")
            return
        visitor = Visitor(socket, self._entrance.source(greeting.client))
        self.open.add(socket)
        try:
            async with self._hub.seat(visitor, live=False):
                recent = await self._sessions.recent(source=visitor.source, limit=OWN_SESSIONS)
                visitor.sessions |= {session.id for session in recent}
                await _Conversation(self, visitor, greeting.client).hold(websocket)
        finally:
            self.open.discard(socket)
            self._hub.dropped += visitor.too_slow

    async def offer(self, said: MessageFrame, visitor: Visitor, client: str) -> None:
        """Put a message before the door; the client hears what becomes of it."""

        def settle(verdict: Accepted | PicklebotError) -> None:
            if isinstance(verdict, PicklebotError):
                visitor.push(frames.error(verdict, said.id))
            else:
                visitor.sessions.add(verdict.session_id)
                visitor.push(frames.accepted(said.id, verdict))

        await self._entrance.offer(
            Incoming(
                source=visitor.source,
                content=said.content,
                key=key_of(client, said.id),
                agent=said.agent,
                session=said.session,
                new_session=said.new,
                settle=settle,
            )
        )

    async def whole_id(self, session_id: str) -> str:
        """Return the id of a session, of which a beginning will do.

        Raises:
            NotFound: there is no such session.
        """
        return (await self._sessions.get(session_id)).id

    async def show(self, visitor: Visitor, *, session: str | None = None, after: int | None = None) -> None:
        """Show what is in the log after `after`, if that is given, then what came meanwhile, then what comes."""
        if after is None:
            await self._hub.catch_up(visitor, room=visitor.room)
        else:
            await self._hub.replay(visitor, session=session, after=after, room=visitor.room)

    def stop(self, session_id: str) -> None:
        """Stop a session's turn.

        Raises:
            Refused: none runs there.
        """
        if not self._stop(session_id):
            raise Refused(409, "nothing_runs", f"no turn runs in session {session_id[:64]!r}")

    def expel(self, code: int, reason: str) -> None:
        """Close every connection."""
        for socket in tuple(self.open):
            socket.drop(code, reason)


class _Conversation:
    """What one client says, frame by frame; what it is to be shown again goes beside."""

    def __init__(self, sockets: Sockets, visitor: Visitor, client: str) -> None:
        self._sockets = sockets
        self._visitor = visitor
        self._client = client
        self._replaying = asyncio.Lock()  # one after the other: each begins and ends with a client that is live
        self._replays: set[asyncio.Task[None]] = set()
        self._live = False

    async def hold(self, websocket: WebSocket) -> None:
        async with asyncio.TaskGroup() as beside:
            self._beside(beside, self._go_live_unasked())
            while (message := await websocket.receive())["type"] == "websocket.receive":
                try:
                    await self._answer(message.get("text"), beside)
                except PicklebotError as exc:
                    self._visitor.push(frames.error(exc))
            for task in self._replays:
                task.cancel()

    async def _answer(self, text: str | None, beside: asyncio.TaskGroup) -> None:
        if text is None:
            raise Refused(400, "bad_frame", "frames are text, not binary")
        given = frames.read(text)
        if not isinstance(given, SubscribeFrame) or given.after is None:
            await self._go_live()
        match given:
            case MessageFrame():
                await self._sockets.offer(given, self._visitor, self._client)
            case SubscribeFrame():
                await self._subscribe(given, beside)
            case StopFrame():
                self._sockets.stop(given.session)
            case PingFrame():
                self._visitor.push(frames.PONG)
            case _:
                assert_never(given)

    async def _subscribe(self, wish: SubscribeFrame, beside: asyncio.TaskGroup) -> None:
        if len(self._replays) >= REPLAYS:
            raise Refused(429, "busy", "wait until you have caught up with what you asked for before")
        session = None if wish.session is None else await self._sockets.whole_id(wish.session)
        if wish.after is None:
            self._visitor.admit(session)
            return
        self._live = True
        self._beside(beside, self._replay(session, wish.after))

    def _beside(self, group: asyncio.TaskGroup, showing: Coroutine[None, None, None]) -> None:
        task = group.create_task(showing, name=f"what {self._visitor.source} is shown")
        self._replays.add(task)
        task.add_done_callback(self._replays.discard)

    async def _go_live_unasked(self) -> None:
        """A client that resumes says so first: what it would be shown before that, it would be shown twice."""
        await asyncio.sleep(PATIENCE)
        await self._go_live()

    async def _go_live(self) -> None:
        if not self._live:
            self._live = True
            async with self._replaying:
                await self._sockets.show(self._visitor)

    async def _replay(self, session: str | None, after: int) -> None:
        async with self._replaying:
            # From here to the first thing that is shown again lies no await: nothing of it is shown live before.
            self._visitor.admit(session)
            await self._sockets.show(self._visitor, session=session, after=after)
