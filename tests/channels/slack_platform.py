"""Slack on loopback: Socket Mode and the few methods that an app calls, for the real slack_sdk.

Promises to hand an envelope over until it is acknowledged, to give history newest first and in pages, and to refuse what
Slack refuses. Knows no daemon.
"""

import asyncio
import html
import json
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any
from uuid import uuid4

from aiohttp import WSMsgType, web

from tests.channels.loopback import Loopback
from tests.channels.slack_rules import (
    APP,
    APP_TOKEN,
    BOT,
    HALL,
    PAGE,
    SCOPES,
    TEAM,
    TOKEN,
    against,
    body,
    error,
    is_room,
    profile,
    written,
)

__all__ = ["APP_TOKEN", "BOT", "HALL", "TEAM", "TOKEN", "SlackPlatform"]


class SlackPlatform(Loopback):
    """One workspace with one app. The conversation of person U5 with the app alone is D5."""

    def __init__(self) -> None:
        super().__init__()
        self.scopes = SCOPES
        self.messages: list[dict[str, Any]] = []  #: everybody's, as they read now
        self.written: Counter[str] = Counter()  #: how many of them are the app's, by room
        self.names: dict[int, str] = {}  #: what people call themselves, where it is not Ann
        self.shared: list[tuple[str, str, bytes]] = []  #: (room, name, content) of the app's files
        self.files: dict[str, bytes | str] = {}  #: or where they are instead
        self.fetched: list[str] = []  #: names of files that were asked for
        self.hold = asyncio.Event()  #: files come when it is set, and what stalls goes on
        self.hold.set()
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.troubles: dict[str, list[Any]] = {}  #: by method: seconds to wait, "lost", "stall", a code, or an answer
        self.closed: dict[str, str] = {}  #: rooms, and why nobody can write there
        self.forgets = False  #: whether what happens while nobody listens is told to nobody later, as after minutes
        self.acknowledged, self.handed = list[str](), list[dict[str, Any]]()  #: envelopes, by a connection and to one
        self.sockets: list[web.WebSocketResponse] = []
        self.greeting: dict[str, Any] = {"type": "hello", "num_connections": 1, "connection_info": {"app_id": APP}}
        self._open: dict[str, dict[str, Any]] = {}
        self._by_ts: dict[str, dict[str, Any]] = {}
        self._numbers = count(1)
        self._uploads: dict[str, tuple[str, bytes]] = {}
        self._methods: dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]] = {
            "auth.test": lambda *_: {"ok": True, "team_id": TEAM, "user_id": BOT, "user": "pickle", "bot_id": "B0BOT"},
            "apps.connections.open": lambda *_: {"ok": True, "url": f"ws{self.url[4:]}/link?ticket=1"},
            "users.info": lambda _, given: profile(self.names.get(int(given["user"][1:]), "Ann")),
            "conversations.open": lambda _, given: {"ok": True, "channel": {"id": f"D{given['users'][1:]}"}},
            "conversations.history": self._history,
            "conversations.replies": self._history,
            "chat.postMessage": self._post,
            "chat.update": self._edit,
            "files.getUploadURLExternal": self._place,
            "files.completeUploadExternal": self._share,
            "files.info": lambda *_: {"ok": True, "file": {"ims": [1]}} if self.shared else error("file_not_found"),
        }

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/link", self._link),
            web.get("/files/{name}", self._file),
            web.post("/upload/{id}", self._upload),
            web.route("*", "/api/{method}", self._call),
        ]

    async def stop(self) -> None:
        for socket in [*self.sockets]:
            await socket.close(code=1012)
        await super().stop()

    def say(
        self,
        person: int,
        text: str,
        *,
        room: str = "",
        thread: str = "",
        photo: bytes = b"",
        twice: bool = False,
        **also: Any,
    ) -> str:
        """Let somebody write, alone with the app or in `room`; return the message's ts."""
        where, ts = room or f"D{person}", self._ts()
        message: dict[str, Any] = {"type": "message", "user": f"U{person}", "text": html.escape(text, quote=False)}
        message["text"] = message["text"].replace(f"&lt;@{BOT}&gt;", f"<@{BOT}>")
        message |= {"ts": ts, "team": TEAM, "channel": where, "client_msg_id": str(uuid4())}
        if thread:
            message["thread_ts"] = thread
        if photo:
            self.files["photo.jpg"] = photo
            url = f"{self.url}/files/photo.jpg"
            file = {"id": "F1", "name": "photo.jpg", "mimetype": "image/jpeg", "size": len(photo), "mode": "hosted"}
            message |= {"subtype": "file_share", "files": [{**file, "url_private": url, "url_private_download": url}]}
        message |= also
        self._keep(message)
        if not room:
            self.tell({**message, "channel_type": "im", "event_ts": ts}, twice=twice)
        elif f"<@{BOT}>" in message["text"]:
            named = {key: value for key, value in message.items() if key != "subtype"}
            self.tell({**named, "type": "app_mention", "event_ts": ts}, twice=twice)
        return ts

    def tell(self, event: Mapping[str, Any], *, twice: bool = False) -> None:
        """Let something happen."""
        payload = {"type": "event_callback", "team_id": TEAM, "api_app_id": APP, "event": event}
        payload["event_id"] = f"Ev{next(self._numbers)}"
        for attempt in range(1 + twice):
            self.hand({"type": "events_api", "payload": payload, "retry_attempt": attempt})

    def press(self, ts: str, label: str, person: int) -> None:
        """Let somebody press a button of the app's message."""
        message = self._by_ts[ts]
        [button] = [each for each in self.buttons(ts) if each["text"]["text"] == label]
        action = {"type": "button", "action_id": button["action_id"], "value": button["value"], "action_ts": self._ts()}
        container = {"type": "message", "message_ts": ts, "channel_id": message["channel"], "is_ephemeral": False}
        payload = {"type": "block_actions", "user": {"id": f"U{person}", "name": "ann", "team_id": TEAM}}
        payload |= {"container": container, "channel": {"id": message["channel"]}, "message": message}
        self.hand({"type": "interactive", "payload": {**payload, "actions": [action], "trigger_id": "1.2"}})

    def buttons(self, ts: str) -> list[dict[str, Any]]:
        """Return the buttons below a message."""
        message = self._by_ts[ts]
        return [each for block in message["blocks"] if block["type"] == "actions" for each in block["elements"]]

    def hand(self, envelope: Mapping[str, Any]) -> None:
        """Hand an envelope to whoever listens, until it is acknowledged."""
        if not self.sockets and self.forgets:
            return
        number = str(uuid4())
        self._open[number] = {"envelope_id": number, "accepts_response_payload": False, **envelope}
        if self.sockets:
            self._send(self.sockets[-1], self._open[number])

    def disconnect(self, reason: str) -> None:
        """Ask whoever listens to connect anew."""
        self._send(self.sockets[-1], {"type": "disconnect", "reason": reason})

    def texts(self, room: str) -> list[str]:
        """Return what the app's messages in a room say now."""
        return [html.unescape(each["text"]) for each in self.messages if (each["channel"], each["user"]) == (room, BOT)]

    def called(self, method: str) -> list[dict[str, Any]]:
        """Return the fields of every call of a method."""
        return [fields for name, fields in self.calls if name == method]

    def _keep(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        self._by_ts[message["ts"]] = message

    def _ts(self) -> str:
        return f"{1_900_000_000 + next(self._numbers)}.000100"

    def _send(self, socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        self.handed.append(frame)
        asyncio.get_running_loop().create_task(written(socket, json.dumps(frame)))

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json(self.greeting)
        self.sockets.append(socket)
        for envelope in [*self._open.values()]:
            self._send(socket, {**envelope, "retry_attempt": 1, "retry_reason": "timeout"})
        self.ring()
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                number = json.loads(message.data)["envelope_id"]
                self._open.pop(number, None)
                self.acknowledged.append(number)
                self.ring()
        self.sockets.remove(socket)
        self.ring()
        return socket

    async def _file(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.Response(text="<html>Sign in</html>", content_type="text/html")
        self.fetched.append(request.match_info["name"])
        self.ring()
        await self.hold.wait()
        content = self.files[request.match_info["name"]]
        if isinstance(content, str):
            raise web.HTTPFound(content)
        return web.Response(body=content, content_type="image/jpeg")

    async def _upload(self, request: web.Request) -> web.Response:
        name, _ = self._uploads[request.match_info["id"]]
        self._uploads[request.match_info["id"]] = (name, await request.read())
        return web.Response(text="OK")

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method, given = request.match_info["method"], dict(request.query)
        fields: dict[str, Any] = {**given, **(await body(request))}
        self.calls.append((method, fields))
        wanted = APP_TOKEN if method == "apps.connections.open" else TOKEN
        if request.headers.get("Authorization") != f"Bearer {wanted}":
            return web.json_response(error("invalid_auth"))
        try:
            trouble = self.troubles[method].pop(0) if self.troubles.get(method) else None
            match trouble:
                case int() | float():
                    headers = {"Retry-After": f"{trouble:.0f}"}
                    return web.json_response(error("ratelimited"), status=429, headers=headers)
                case web.Response():
                    return trouble
                case str() if trouble not in {"lost", "stall"}:
                    return web.json_response(error(trouble))
                case _:
                    answer = self._obey(method, fields)
            if trouble == "stall":
                self.ring()
                await self.hold.wait()
            if trouble == "lost":
                assert request.transport is not None
                request.transport.abort()
            return web.json_response(answer, headers={"x-oauth-scopes": self.scopes})
        finally:
            self.ring()

    def _obey(self, method: str, fields: dict[str, Any]) -> dict[str, Any]:
        room = fields.get("channel") or fields.get("channel_id") or ""
        if method.startswith(("chat.", "conversations.h", "conversations.r")) and not is_room(room):
            return error("channel_not_found")
        if room in self.closed:
            return error(self.closed[room])
        return self._methods[method](room, fields) if method in self._methods else error("unknown_method")

    def _share(self, room: str, fields: dict[str, Any]) -> dict[str, Any]:
        self.shared += [(room, *self._uploads[file["id"]]) for file in json.loads(fields["files"])]
        return {"ok": True, "files": []}

    def _place(self, _: str, fields: dict[str, Any]) -> dict[str, Any]:
        number = f"F{next(self._numbers)}"
        self._uploads[number] = (fields["filename"], b"")
        return {"ok": True, "file_id": number, "upload_url": f"{self.url}/upload/{number}"}

    def _post(self, room: str, fields: dict[str, Any]) -> dict[str, Any]:
        if (wrong := against(fields)) is not None:
            return error(wrong)
        thread = fields.get("thread_ts")
        if thread and thread not in self._by_ts:
            return error("thread_not_found")
        ts = self._ts()
        message = {"type": "message", "user": BOT, "bot_id": "B0BOT", "text": fields["text"], "ts": ts}
        message |= {"blocks": fields.get("blocks") or [], "channel": room, "team": TEAM}
        message |= {key: fields[key] for key in ("metadata", "thread_ts") if fields.get(key)}
        self._keep({**message, "unfurl": (fields.get("unfurl_links"), fields.get("unfurl_media"))})
        self.written[room] += 1
        event = {key: value for key, value in message.items() if key != "metadata"}
        if room.startswith("D"):
            self.tell({**event, "channel_type": "im", "event_ts": ts})
        return {"ok": True, "channel": room, "ts": ts, "message": event}

    def _edit(self, room: str, fields: dict[str, Any]) -> dict[str, Any]:
        if (wrong := against(fields)) is not None:
            return error(wrong)
        found = self._by_ts.get(fields["ts"], {"channel": ""})
        if (found["channel"], found.get("user")) != (room, BOT):
            return error("message_not_found")
        found.update({key: value for key, value in fields.items() if key in {"text", "blocks", "metadata"}})
        return {"ok": True, "channel": room, "ts": fields["ts"], "text": found["text"]}

    def _history(self, room: str, fields: dict[str, Any]) -> dict[str, Any]:
        if "history" not in self.scopes:
            return {**error("missing_scope"), "needed": "im:history"}
        thread, oldest = fields.get("ts"), float(fields.get("oldest") or 0)
        if thread and thread not in self._by_ts:
            return error("thread_not_found")
        here = [each for each in self.messages if each["channel"] == room and float(each["ts"]) > oldest]
        if thread:
            found = [each for each in here if thread in {each["ts"], each.get("thread_ts")}]
        else:
            found = [each for each in here if each.get("thread_ts") in {None, each["ts"]}][::-1]
        start, size = int(fields.get("cursor") or 0), min(PAGE, int(fields["limit"]))
        page = [
            {key: value for key, value in each.items() if key != "metadata" or fields.get("include_all_metadata")}
            for each in found[start : start + size]
        ]
        following = str(start + size) if start + size < len(found) else ""
        return {"ok": True, "messages": page, "response_metadata": {"next_cursor": following}}
