"""What Telegram brings, read: who says what, where, and whether to us.

Promises that ids decide who speaks, that nobody but a person is heard, and that in a group only what is meant for the
bot is. What cannot be read is left out. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from picklebot.channels.split import units
from picklebot.channels.telegram.contents import Fields, File, files_of, name_of, other_words, text_of
from picklebot.channels.telegram.referring import in_context
from picklebot.channels.telegram.wording import LIMIT

KINDS = ("message", "edited_message", "callback_query")  #: the updates that are asked for
_GROUPS = frozenset({"group", "supergroup"})
EDITED = "[The sender changed an earlier message. It reads now:]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """The bot."""

    id: int
    username: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a person said. `pressed` is the id of the press, where it was a button; `message` that of what it is below."""

    person: str
    chat: str
    thread: str | None
    content: str
    sender: str
    private: bool
    message: int
    outside: bool = False
    files: tuple[File, ...] = ()
    pressed: str | None = None


def read(updates: Sequence[Fields], me: Me) -> Said | None:
    """Return what a person said to the bot, in one update or in several; None if nobody did."""
    try:
        update = updates[0]
        if "callback_query" in update:
            return _press(update["callback_query"])
        if "edited_message" in update:
            return _message([update["edited_message"]], me, edited=True)
        return _message([each["message"] for each in updates], me)
    except (KeyError, TypeError, ValueError, AttributeError):  # an update of a shape that nobody has seen yet
        return None


def _press(query: Fields) -> Said | None:
    message, words = query["message"], query.get("data", "")
    if query["from"].get("is_bot") or not words.startswith("/"):
        return None
    return Said(
        person=str(int(query["from"]["id"])),
        chat=str(int(message["chat"]["id"])),
        thread=_thread(message),
        content=words,
        sender=name_of(query["from"]),
        private=message["chat"].get("type") == "private" and query["from"]["id"] == message["chat"]["id"],
        message=int(message["message_id"]),
        pressed=str(query["id"]),
    )


def _message(parts: Sequence[Fields], me: Me, *, edited: bool = False) -> Said | None:
    message = parts[0]
    sender = message.get("from")
    if not sender or sender.get("is_bot") or "sender_chat" in message or "via_bot" in message:
        return None  # a bot, a channel, an administrator without a name: nobody whose id could be let in
    chat = message["chat"]
    if chat.get("type") in _GROUPS:
        if not any(_names(part, me) or _answers(part, me) for part in parts):
            return None
    elif chat.get("type") != "private":
        return None
    files = tuple(file for part in parts for file in files_of(part))
    content = _written(parts, me) or ("" if files else other_words(message))
    if not (content or files) or (edited and not text_of(message)):
        return None
    words, outside = in_context(message, content, me.id)
    return Said(
        person=str(int(sender["id"])),
        chat=str(int(chat["id"])),
        thread=_thread(message),
        content=f"{EDITED}\n{content}" if edited else words,
        sender=name_of(sender),
        private=chat["type"] == "private",
        message=int(message["message_id"]),
        outside=outside,
        files=() if edited else files,
    )


def _written(parts: Sequence[Fields], me: Me) -> str:
    """Return what is written in all parts; a text that fills a message was cut where it stands."""
    written, cut = "", False
    for part in parts:
        first_words = not written or "caption" in part
        text = _without_name(text_of(part), me) if first_words else text_of(part)
        written += f"\n{text}" if written and text and not cut else text
        cut = units(text_of(part)) >= LIMIT
    return _started(written)


def _started(text: str) -> str:
    """Return what is meant by the button that begins a conversation."""
    return "/help" if text.partition(" ")[0] == "/start" else text


def _thread(message: Fields) -> str | None:
    return str(int(message["message_thread_id"])) if message.get("is_topic_message") else None


def _names(message: Fields, me: Me) -> bool:
    """Return whether a text names the bot: offsets count UTF-16 code units."""
    coded = text_of(message).encode("utf-16-le", "surrogatepass")
    for entity in message.get("entities") or message.get("caption_entities") or ():
        start = 2 * int(entity["offset"])
        words = coded[start : start + 2 * int(entity["length"])].decode("utf-16-le", "replace").casefold()
        match entity["type"]:
            case "mention" if words == f"@{me.username}".casefold():
                return True
            case "bot_command" if words.endswith(f"@{me.username}".casefold()):
                return True
            case "text_mention" if entity["user"]["id"] == me.id:
                return True
            case _:
                continue
    return False


def _answers(message: Fields, me: Me) -> bool:
    match message:
        case {"reply_to_message": {"from": {"id": author}}}:
            return bool(author == me.id)
        case _:
            return False


def _without_name(text: str, me: Me) -> str:
    """Return a text without the bot's name before it: what is said to the bot is not about the bot."""
    stripped = text.strip()
    name = f"@{me.username}"
    if me.username and stripped[: len(name)].casefold() == name.casefold() and not stripped[len(name) :][:1].isalnum():
        return stripped[len(name) :].lstrip(" ,:\n")
    return stripped
