"""`WS /ws/terminal`: where `picklebot chat` and `ask` join. Promises that frames are taken in their order."""

import asyncio
import os
from typing import cast

from pydantic import ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from picklebot import __version__
from picklebot.gateway.entrance import Entrance
from picklebot.gateway.hub import Hub
from picklebot.gateway.terminals.frames import PROTOCOL, BadFrame, parse, spell
from picklebot.gateway.terminals.service import Service
from picklebot.gateway.terminals.shown import Hello
from picklebot.gateway.terminals.terminal import Speakers, Terminal
from picklebot.gateway.wire import SOCKET, GatewaySocket

HELLO_SECONDS = 10.0  #: within which a terminal says who it is


class Terminals:
    """Every terminal that has joined."""

    def __init__(self, *, hub: Hub, entrance: Entrance, service: Service, sockets: set[GatewaySocket]) -> None:
        """`sockets` are those that are open now, these among them."""
        self._hub = hub
        self._sockets = sockets
        self._entrance = entrance
        self._service = service
        self._speakers = Speakers()

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one terminal until it leaves."""
        await websocket.accept()
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                hello = Hello.model_validate(parse(await websocket.receive_text()))
        except (TimeoutError, ValidationError, BadFrame):
            await websocket.close(1002, "a terminal says hello first")
            return
        except WebSocketDisconnect:
            return
        welcome = {
            "type": "welcome",
            "protocol": PROTOCOL,
            "version": __version__,
            "pid": os.getpid(),
            "notices": list(self._service.notices),
        }
        await websocket.send_text(spell(welcome))
        if hello.protocol != PROTOCOL:
            await websocket.close(1002, f"this daemon speaks protocol {PROTOCOL}")
            return
        await self._serve(websocket, hello)

    async def _serve(self, websocket: WebSocket, hello: Hello) -> None:
        socket = cast("GatewaySocket", websocket.scope["extensions"][SOCKET])
        terminal = Terminal(
            source=self._entrance.source(hello.user),
            service=self._service,
            entrance=self._entrance,
            speakers=self._speakers,
            socket=socket,
        )
        self._sockets.add(socket)
        try:
            async with self._hub.seat(terminal):
                await terminal.tell_what_waits()
                while True:
                    await terminal.hear(parse(await websocket.receive_text()))
        except WebSocketDisconnect:
            return
        except BadFrame as exc:
            await websocket.close(1002, str(exc))
        finally:
            terminal.leave()
            self._sockets.discard(socket)
