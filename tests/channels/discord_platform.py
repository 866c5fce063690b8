"""Discord on loopback: the gateway and the few calls that a bot makes, for the real discord.py.

Promises to give out a message to whoever asks for what came after another one, to drop a message whose nonce it has,
to hand out no words that a bot without the right to them may not read, and to refuse what is too long or empty. Knows
no daemon.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Coroutine
from itertools import count
from typing import Any

from aiohttp import WSMsgType, web

from tests.channels.discord_shapes import (
    APPLICATION,
    BOT,
    COMPANY,
    FIXED,
    GUILD,
    HALL,
    LIMIT,
    NAMED,
    TOKEN,
    alone,
    answer,
    error,
    fields_of,
    frame,
    press,
    send,
    user,
)
from tests.channels.loopback import Loopback


class DiscordPlatform(Loopback):
    """One bot's Discord."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[dict[str, Any]] = []  #: the bot's messages, as they read now; files as (name, content)
        self.posts = 0
        self.written: Counter[str] = Counter()  #: how many texts the bot has written in each room
        self.names: dict[int, str] = {}  #: what people call themselves
        self.troubles: list[str | float | int] = []  #: of the next messages: "lost", "503", or seconds to wait
        self.blocked: set[str] = set()
        self.forbidden: set[str] = set()  #: rooms out of which the bot was thrown
        self.files: dict[str, bytes] = {}
        self.calls: list[str] = []
        self.token = TOKEN
        self.refuses: int | None = None  #: with what every connection is closed
        self.deferred: list[str] = []
        self.menu: list[str] = []
        self._early: list[dict[str, Any]] | None = []
        self._history: dict[str, list[dict[str, Any]]] = {}
        self._ids, self._sequence = count(1 << 22), count(1)
        self._sockets: dict[web.WebSocketResponse, int] = {}
        self._away: dict[web.WebSocketResponse, int] = {}  # connections that are told nothing
        self._told: list[tuple[int, str, dict[str, Any]]] = []  # what a session that is resumed is told again
        self._sending: set[asyncio.Task[None]] = set()
        self._beat = -1  # how far the last heartbeat says that we were heard

    def routes(self) -> list[web.RouteDef]:
        """Return what it answers."""
        return [
            web.get("/gateway", self._gateway),
            web.get("/files/{name}", self._file),
            web.route("*", "/api/v10/{path:.*}", self._call),
        ]

    async def stop(self) -> None:
        """Be gone; what was said stays, and more may be said."""
        await self.hang_up()
        await super().stop()
        await asyncio.gather(*self._sending)

    async def hang_up(self, code: int = 1012) -> None:
        """Close every connection of the gateway."""
        for socket in tuple(self._sockets):
            await socket.close(code=code)

    async def forget_sessions(self) -> None:
        """Tell nobody of anything any more, until they are greeted again."""
        self._away, self._sockets = self._sockets, {}

    async def greet_again(self) -> None:
        """Greet everybody anew: what was said meanwhile, they have to ask for."""
        for socket, intents in self._away.items():
            await self._greet(socket, intents)

    def say(self, person: int, text: str, *, room: str = "", photo: bytes = b"", **also: Any) -> dict[str, Any]:
        """Let somebody write, alone with the bot or in `room`; return the message."""
        place = room or alone(person)
        message = {
            **FIXED,
            "id": str(next(self._ids)),
            "channel_id": place,
            "content": text,
            "author": user(person, self.names.get(person)),
        }
        message["mentions"] = [BOT] if NAMED in text else []
        if photo:
            self.files["photo.jpg"] = photo
            url = f"{self.url}/files/photo.jpg"
            file = {"id": "1", "filename": "photo.jpg", "size": len(photo), "url": url, "proxy_url": url}
            message["attachments"] = [{**file, "content_type": "image/jpeg"}]
        message |= also
        self._history.setdefault(place, []).append(message)
        self.announce(message)
        return message

    def announce(self, message: dict[str, Any]) -> None:
        """Tell of a message: once more, if it was told of before. People begin to talk once the bot has come at all."""
        if self._early is not None:
            self._early.append(message)
            return
        in_company = message["channel_id"] in {HALL, *self.forbidden}
        self.tell("MESSAGE_CREATE", {**message, **({"guild_id": GUILD} if in_company else {})})

    def press(self, message: dict[str, Any], label: str, *, person: int) -> None:
        """Let somebody press a button of the bot's."""
        self.tell("INTERACTION_CREATE", press(message, label, person, str(next(self._ids))))

    def tell(self, event: str, what: dict[str, Any]) -> None:
        """Send an event to whoever listens."""
        self._told.append((next(self._sequence), event, what))
        for socket, intents in self._sockets.items():
            self._begin(send(socket, frame(*self._told[-1], intents)))

    async def all_heard(self) -> None:
        """Wait until whoever listens has read everything."""
        self._beat = -1
        for socket in self._sockets:
            self._begin(send(socket, '{"op": 1, "d": null, "s": null, "t": null}'))
        await self.until(lambda: self._beat >= self._told[-1][0])

    def texts(self, room: str) -> list[str]:
        """Return what the bot's messages in a room say now."""
        return [each["content"] for each in self.sent if each["channel_id"] == room and not each["attachments"]]

    def _begin(self, sending: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(sending)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _gateway(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 40_000}, "s": None, "t": None})
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            match json.loads(message.data):
                case {"op": 1, "d": seen}:
                    self._beat = seen or 0
                    await socket.send_json({"op": 11})
                    self.ring()
                case {"op": 2 | 6} if self.refuses:
                    await socket.close(code=self.refuses)
                case {"op": 6, "d": {"token": self.token, "seq": int(seen)}}:
                    await self._resume(socket, seen)
                case {"op": 2, "d": {"token": self.token, "intents": int(intents)}}:
                    await self._greet(socket, intents)
                case {"op": 2 | 6}:
                    await socket.close(code=4004)
                case _:
                    pass
        self._sockets.pop(socket, None)
        self.ring()
        return socket

    async def _greet(self, socket: web.WebSocketResponse, intents: int) -> None:
        ready: dict[str, Any] = {
            "user": BOT,
            "guilds": [{"id": GUILD, "unavailable": True}],
            "session_id": "s",
            "v": 10,
        }
        ready |= {"resume_gateway_url": f"{self.url.replace('http', 'ws')}/gateway", "private_channels": []}
        ready["application"] = {"id": BOT["id"], "flags": 0}
        for event, what in (("READY", ready), ("GUILD_CREATE", COMPANY)):
            await socket.send_json({"op": 0, "t": event, "s": next(self._sequence), "d": what})
        self._sockets[socket] = intents
        early, self._early = self._early or [], None
        for message in early:
            self.announce(message)
        self.ring()

    async def _resume(self, socket: web.WebSocketResponse, seen: int) -> None:
        for number, event, what in [each for each in self._told if each[0] > seen]:
            await socket.send_str(frame(number, event, what, 0))
        await socket.send_json({"op": 0, "t": "RESUMED", "s": next(self._sequence), "d": {}})
        self._sockets[socket] = 0
        self.ring()

    async def _file(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["name"]])

    async def _call(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"].split("/")
        if path[0] != "interactions" and request.headers.get("Authorization") != f"Bot {self.token}":
            return error(401, 0, "401: Unauthorized")
        fields, files = await fields_of(request)
        self.calls.append(f"{request.method} {'/'.join(path)}")
        try:
            match request.method, path:
                case "GET", ["users", "@me"]:
                    return answer(BOT)
                case "GET", ["oauth2", "applications", "@me"]:
                    return answer(APPLICATION)
                case "POST", ["users", "@me", "channels"]:
                    return answer({"id": alone(int(fields["recipient_id"])), "type": 1, "recipients": []})
                case _, ["channels", room, *_] if room in self.forbidden:
                    return error(403, 50001, "Missing Access")
                case "GET", ["channels", room, "messages"]:
                    return answer(self._after(room, request))
                case "POST", ["channels", room, "messages"]:
                    return self._post(request, room, fields, files)
                case "PATCH", ["channels", room, "messages", number]:
                    return self._edit(room, number, fields)
                case _, ["applications" | "interactions" as kind, number, *_]:
                    return self._interact(kind, number, fields)
                case _:
                    return web.Response(status=204)
        finally:
            self.ring()

    def _interact(self, kind: str, number: str, fields: Any) -> web.Response:
        if kind == "applications":
            self.menu = [each["name"] for each in fields]
            return answer([])
        self.deferred.append(number)
        return answer({"interaction": {"id": number, "type": 2}})

    def _after(self, room: str, request: web.Request) -> list[dict[str, Any]]:
        after, limit = int(request.query.get("after", 0)), int(request.query.get("limit", 50))
        return [each for each in self._history.get(room, []) if int(each["id"]) > after][:limit][::-1]

    def _post(self, request: web.Request, room: str, fields: dict[str, Any], files: list[Any]) -> web.StreamResponse:
        self.posts += 1
        trouble = self.troubles.pop(0) if self.troubles else None
        if isinstance(trouble, int | float):
            given = {"message": "You are being rate limited.", "retry_after": trouble, "global": False}
            return answer(given, status=429, headers={"Via": "1.1 loopback", "Retry-After": str(trouble)})
        if room in self.blocked:
            return error(403, 50007, "Cannot send messages to this user")
        text = fields.get("content") or ""
        if len(text.encode("utf-16-le")) // 2 > LIMIT or not (text.strip() or files):
            return error(400, 50035, "Invalid Form Body")
        known = [each for each in self.sent if fields.get("nonce") and each["nonce"] == fields["nonce"]]
        if known and fields.get("enforce_nonce"):
            return answer({**known[0], "attachments": []})
        message = {**FIXED, "id": str(next(self._ids)), "channel_id": room, "content": text, "author": BOT}
        message |= {"nonce": fields.get("nonce"), "components": fields.get("components", [])}
        self.sent.append({**message, "attachments": files})
        self.written[room] += not files
        self._history.setdefault(room, []).append(message)
        if trouble == "lost":
            assert request.transport is not None
            request.transport.abort()
        return answer(message)

    def _edit(self, room: str, number: str, fields: dict[str, Any]) -> web.Response:
        for each in self.sent:
            if (each["id"], each["channel_id"]) == (number, room):
                each.update({key: value for key, value in fields.items() if key in {"content", "components"}})
                return answer({**each, "attachments": []})
        return error(404, 10008, "Unknown Message")
