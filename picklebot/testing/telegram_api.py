"""The Telegram Bot API on loopback, for tests that want the real client and no Telegram.

    async with TelegramApi() as telegram:   # channels: {telegram: {enabled: true, base_url: telegram.url, ...}}
        telegram.say("hello", user=42)
        await telegram.until(lambda: telegram.texts(42))

Promises to keep an update until a later offset is asked for, to end a poll when another one begins, and to refuse what
the real one refuses. `trouble(method, ...)` spoils the next calls. Knows no daemon.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import unquote

from picklebot.testing.clock import PATIENCE
from picklebot.testing.faults import Chunk, End, Plan
from picklebot.testing.loopback_http import Connection, HTTPRequest
from picklebot.testing.telegram_rules import FIELDS, Wrong, buttons_of, check_call, shown_text
from picklebot.testing.telegram_wire import Trouble, answer, error, fields_of, result

__all__ = ["TOKEN", "Shown", "TelegramApi", "Trouble"]

TOKEN = "4242:loopback-token-of-a-bot"  # noqa: S105  (it opens nothing)
BOT = {"id": 4242, "is_bot": True, "first_name": "Pickle", "username": "pickle_bot"}
_STEP = 0.01  # seconds between two looks of a waiting poll


@dataclass(slots=True)
class Shown:
    """A message of the bot as a person sees it. `texts` are all that it ever said, the last one last."""

    id: int
    chat: str
    texts: list[str]
    thread: int | None = None
    buttons: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    formatted: str = ""
    file: tuple[str, bytes] | None = None

    @property
    def text(self) -> str:
        """What it says now."""
        return self.texts[-1] if self.texts else ""


class TelegramApi:
    """One bot's Telegram."""

    def __init__(self, token: str = TOKEN, *, first_update: int = 1000) -> None:
        self.url = ""
        self.calls: deque[tuple[str, dict[str, Any]]] = deque(maxlen=20_000)
        self.shown: dict[int, Shown] = {}  #: every message of the bot, by its id
        self.blocked: set[str] = set()  #: chats whose person blocked the bot
        self.moved: dict[str, str] = {}  #: groups that became supergroups
        self.files: dict[str, bytes] = {}
        self.commands: list[Any] = []
        self.confirmed = 0  #: updates that were said to be received
        self.most_at_once = 0  #: updates in the largest answer
        self._token = token
        self._updates: deque[dict[str, Any]] = deque()
        self._troubles: defaultdict[str, deque[Trouble]] = defaultdict(deque)
        self._ids, self._update_ids = count(1), count(first_update)
        self._poll = 0  # the number of the newest poll: an older one ends
        self._connections: set[Connection] = set()
        self._waiters: set[asyncio.Event] = set()
        self._server: asyncio.Server | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen, on the same port as before."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connect, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        """Be gone; what was said stays, and more may be said."""
        if self._server is not None:
            self._server.close()
            for connection in tuple(self._connections):
                connection.abort()
            await self._server.wait_closed()
            self._server = None

    def say(
        self,
        text: str = "",
        *,
        user: int = 42,
        chat: int | None = None,
        name: str = "Ann",
        also: Mapping[str, Any] = MappingProxyType({}),
    ) -> int:
        """Let a person write to the bot, in a chat of their own or in a group; return the update's number."""
        where = (
            {"id": user, "type": "private", "first_name": name}
            if chat is None
            else {"id": chat, "type": "supergroup", "title": "Friends"}
        )
        sender = {"id": user, "is_bot": False, "first_name": name}
        message = {"message_id": next(self._ids), "date": 1_900_000_000, "chat": where, "from": sender}
        return self.add({"message": {**message, **({"text": text} if text else {}), **also}})

    def press(self, shown: Shown, label: str, *, user: int = 42) -> int:
        """Let a person press a button."""
        words = next(says for name, says in shown.buttons if name == label)
        kind = "private" if shown.chat == str(user) else "supergroup"
        message = {"message_id": shown.id, "date": 1_900_000_000, "chat": {"id": int(shown.chat), "type": kind}}
        query = {"id": f"q{next(self._ids)}", "from": {"id": user, "is_bot": False, "first_name": "Ann"}}
        return self.add({"callback_query": {**query, "message": message, "chat_instance": "1", "data": words}})

    def add(self, update: Mapping[str, Any]) -> int:
        """Add an update; return its number."""
        number = int(update.get("update_id", next(self._update_ids)))
        self._updates.append({"update_id": number, **update})
        self._changed()
        return number

    def repeat(self, number: int) -> None:
        """Hand an update over once more, under the number that it had."""
        self.add(next(update for update in self._updates if update["update_id"] == number))

    def trouble(self, method: str, *troubles: Trouble) -> None:
        """Spoil the next calls of a method; "file" is the download of one."""
        self._troubles[method] += troubles

    def texts(self, chat: int | str) -> list[str]:
        """Return what the bot's messages in a chat say now, oldest first."""
        return [shown.text for shown in self.shown.values() if shown.chat == str(chat) and shown.file is None]

    def called(self, method: str) -> list[dict[str, Any]]:
        """Return the fields of every call of a method."""
        return [fields for name, fields in self.calls if name == method]

    @property
    def waiting(self) -> int:
        """How many updates were not said to be received."""
        return len(self._updates)

    async def until(self, fact: Callable[[], object]) -> None:
        """Wait until `fact` holds, which is looked at whenever anything happens here."""
        bell = asyncio.Event()
        self._waiters.add(bell)
        try:
            async with asyncio.timeout(PATIENCE):
                while not fact():
                    bell.clear()
                    await bell.wait()
        finally:
            self._waiters.discard(bell)

    def _changed(self) -> None:
        for bell in self._waiters:
            bell.set()

    def _connect(self) -> Connection:
        connection = Connection(self._respond, lambda ended, _: self._connections.discard(ended))
        self._connections.add(connection)
        return connection

    def _respond(self, request: HTTPRequest) -> Plan:
        head, _, rest = unquote(request.path).removeprefix("/").partition("/")
        if head == "file":
            token, _, path = rest.partition("/")
            content = self.files.get(path.removeprefix("files/")) if token == f"bot{self._token}" else None
            trouble = self._troubles[head].popleft() if self._troubles[head] else None
            if trouble is not None:
                return trouble.plan(content or b"")
            return answer(404, b"") if content is None else answer(200, content)
        if head != f"bot{self._token}":
            return error(401, "Unauthorized")
        if rest not in FIELDS:
            return error(404, f"Not Found: method {rest!r} not found")
        fields = fields_of(request)
        self.calls.append((rest, fields))
        trouble = self._troubles[rest].popleft() if self._troubles[rest] else None
        try:
            if trouble is not None and not trouble.after:
                return trouble.plan()
            plan = self._obey(rest, fields)
            if trouble is not None:
                return trouble.plan()
            return plan
        except Wrong as exc:
            return error(400, str(exc))
        finally:
            self._changed()

    def _obey(self, method: str, fields: dict[str, Any]) -> Plan:
        check_call(method, fields)
        chat = str(fields.get("chat_id", ""))
        if (closed := self._closed(chat)) is not None:
            return closed
        match method:
            case "getMe":
                return result(BOT)
            case "getUpdates":
                self._poll += 1
                return self._answer_poll(self._poll, fields)
            case "sendMessage":
                return result(self._show(chat, fields, shown_text(fields)))
            case "editMessageText" | "editMessageReplyMarkup":
                return result(self._edit(method, fields))
            case "sendDocument" | "sendPhoto":
                return result(
                    self._show(chat, fields, "", file=fields["document" if "document" in fields else "photo"])
                )
            case "getFile":
                return result(self._place_of(fields["file_id"]))
            case _:
                self.commands = fields.get("commands", self.commands)
                return result(True)

    def _place_of(self, file_id: str) -> dict[str, Any]:
        if file_id not in self.files:
            raise Wrong("Bad Request: wrong file_id or the file is temporarily unavailable")
        return {"file_id": file_id, "file_path": f"files/{file_id}"}

    def _closed(self, chat: str) -> Plan | None:
        if chat in self.blocked:
            return error(403, "Forbidden: bot was blocked by the user")
        if chat in self.moved:
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            return error(400, words, {"migrate_to_chat_id": int(self.moved[chat])})
        return None

    def _answer_poll(self, number: int, fields: Mapping[str, Any]) -> Iterator[bytes | Chunk | float | End]:
        while self._updates and self._updates[0]["update_id"] < fields.get("offset", 0):
            self._updates.popleft()
            self.confirmed += 1
        self._changed()
        for _ in range(int(fields.get("timeout", 0) / _STEP)):
            if self._updates or number != self._poll:
                break
            yield _STEP
        if number != self._poll:
            yield from error(409, "Conflict: terminated by other getUpdates request")
            return
        batch = [*self._updates][: fields.get("limit", 100)]
        self.most_at_once = max(self.most_at_once, len(batch))
        yield from result(batch)

    def _show(self, chat: str, fields: Mapping[str, Any], text: str, file: Any = None) -> dict[str, Any]:
        number = next(self._ids)
        self.shown[number] = Shown(
            id=number,
            chat=chat,
            texts=[text] if text else [],
            thread=int(fields["message_thread_id"]) if "message_thread_id" in fields else None,
            buttons=_buttons(fields),
            formatted=fields.get("text", ""),
            file=file,
        )
        return {"message_id": number, "date": 1_900_000_000, "chat": {"id": int(chat), "type": "private"}}

    def _edit(self, method: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        shown = self.shown.get(fields["message_id"])
        if shown is None or shown.chat != str(fields["chat_id"]):
            raise Wrong("Bad Request: message to edit not found")
        buttons = _buttons(fields)
        if method == "editMessageText":
            text = shown_text(fields)
            if (fields["text"], buttons) == (shown.formatted, shown.buttons):
                raise Wrong("Bad Request: message is not modified: specified new message content is the same")
            shown.texts.append(text)
            shown.formatted = fields["text"]
        shown.buttons = buttons
        return {"message_id": shown.id, "date": 1_900_000_000, "chat": {"id": int(shown.chat), "type": "private"}}


def _buttons(fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(button["text"], button["callback_data"]) for button in buttons_of(fields)]
