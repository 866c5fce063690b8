"""What the Bot API refuses, so that a call it would refuse fails here first.

Promises the API's own words for the mistakes that bots make most (https://core.telegram.org/bots/api). Loose
elsewhere: it is a net, not a copy.
"""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

MAX_TEXT = 4096  #: UTF-16 code units after the marks are taken out
MAX_CALLBACK = 64  #: bytes behind a button
_TAGS = frozenset({"b", "strong", "i", "em", "u", "s", "del", "code", "pre", "a", "blockquote", "tg-spoiler"})
_PICTURES = (b"\xff\xd8", b"\x89PNG", b"RIFF")
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
FIELDS: Mapping[str, frozenset[str]] = {
    "getMe": frozenset(),
    "getUpdates": frozenset({"offset", "limit", "timeout", "allowed_updates"}),
    "sendMessage": frozenset(
        {
            *("chat_id", "message_thread_id", "text", "parse_mode", "entities", "link_preview_options"),
            *("disable_notification", "protect_content", "reply_parameters", "reply_markup"),
        }
    ),
    "editMessageText": frozenset(
        {"chat_id", "message_id", "text", "parse_mode", "entities", "link_preview_options", "reply_markup"}
    ),
    "editMessageReplyMarkup": frozenset({"chat_id", "message_id", "reply_markup"}),
    "sendChatAction": frozenset({"chat_id", "message_thread_id", "action"}),
    "sendDocument": frozenset({"chat_id", "message_thread_id", "document", "caption"}),
    "sendPhoto": frozenset({"chat_id", "message_thread_id", "photo", "caption"}),
    "getFile": frozenset({"file_id"}),
    "answerCallbackQuery": frozenset({"callback_query_id", "text", "show_alert"}),
    "setMyCommands": frozenset({"commands", "scope", "language_code"}),
}


class Wrong(ValueError):
    """The API would answer 400 with these words."""


def check_call(method: str, fields: Mapping[str, Any]) -> None:
    """Check the fields of a call.

    Raises:
        Wrong: if the real API would not take it, or would silently ignore a field.
    """
    known = FIELDS[method]
    if unknown := set(fields) - known:
        raise Wrong(f"Bad Request: field {min(unknown)!r} is none of {method}")
    for name in ("document", "photo"):
        _, content = fields.get(name, ("", b"x" if name == "document" else b"\xff\xd8"))
        if not content:
            raise Wrong("Bad Request: file must be non-empty")
        if name == "photo" and not content.startswith(_PICTURES):
            raise Wrong("Bad Request: IMAGE_PROCESS_FAILED")
    for button in buttons_of(fields):
        if not button["text"] or not 1 <= len(button.get("callback_data", "").encode()) <= MAX_CALLBACK:
            raise Wrong("Bad Request: BUTTON_DATA_INVALID")
    for command in fields.get("commands", ()):
        if not _COMMAND.fullmatch(command["command"]) or not 1 <= len(command["description"]) <= 256:
            raise Wrong("Bad Request: BOT_COMMAND_INVALID")


def buttons_of(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the buttons below a message."""
    markup: dict[str, list[list[dict[str, Any]]]] = fields.get("reply_markup") or {}
    return [button for row in markup.get("inline_keyboard", []) for button in row]


def shown_text(fields: Mapping[str, Any]) -> str:
    """Return what a person would read of a message.

    Raises:
        Wrong: the text is empty, too long, or is not formatted as it says.
    """
    text: str = fields.get("text", "")
    if fields.get("parse_mode") == "HTML":
        reader = _Reader()
        reader.feed(text)
        reader.close()
        if reader.open:
            raise Wrong(
                f"Bad Request: can't parse entities: Can't find end tag corresponding to start tag \"{reader.open[-1]}\""
            )
        text = "".join(reader.text)
    if not text.strip():
        raise Wrong("Bad Request: message text is empty")
    if len(text.encode("utf-16-le", "surrogatepass")) // 2 > MAX_TEXT:
        raise Wrong("Bad Request: message is too long")
    return text


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            raise Wrong(f'Bad Request: can\'t parse entities: Unsupported start tag "{tag}" at byte offset 0')
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise Wrong(f'Bad Request: can\'t parse entities: Unexpected end tag "{tag}" at byte offset 0')

    def handle_data(self, data: str) -> None:
        self.text.append(data)
