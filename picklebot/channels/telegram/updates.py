"""What Telegram brings, read: who says what, where, and whether to us.

Promises that ids decide who speaks, that nobody but a person is heard, and that in a group only what is meant for the
bot is. What cannot be read is left out. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Fields: TypeAlias = Mapping[str, Any]

KINDS = ("message", "edited_message", "callback_query")  #: the updates that are asked for
_FILES = {
    "document": ("a file", ""),
    "voice": ("a voice message", ".ogg"),
    "audio": ("music", ".mp3"),
    "video": ("a video", ".mp4"),
    "video_note": ("a video", ".mp4"),
    "animation": ("an animation", ".mp4"),
}
_GROUPS = frozenset({"group", "supergroup"})
EDITED = "[The sender changed an earlier message. It reads now:]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """The bot."""

    id: int
    username: str


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file on Telegram's side."""

    id: str
    kind: str
    suffix: str
    name: str = ""
    size: int | None = None


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
    files: tuple[File, ...] = ()
    pressed: str | None = None


def read(update: Fields, me: Me) -> Said | None:
    """Return what a person said to the bot; None if nobody did."""
    try:
        if "callback_query" in update:
            return _press(update["callback_query"])
        edited = "edited_message" in update
        message = update["edited_message" if edited else "message"]
        return _message(message, me, edited=edited)
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
        sender=_name(query["from"]),
        private=message["chat"].get("type") == "private" and query["from"]["id"] == message["chat"]["id"],
        message=int(message["message_id"]),
        pressed=str(query["id"]),
    )


def _message(message: Fields, me: Me, *, edited: bool) -> Said | None:
    sender = message.get("from")
    if not sender or sender.get("is_bot") or "sender_chat" in message or "via_bot" in message:
        return None  # a bot, a channel, an administrator without a name: nobody whose id could be let in
    chat = message["chat"]
    text = message.get("text") or message.get("caption") or ""
    entities = message.get("entities") or message.get("caption_entities") or ()
    if chat.get("type") in _GROUPS:
        if not (_names(text, entities, me) or _answers(message, me)):
            return None
    elif chat.get("type") != "private":
        return None
    files = _files(message)
    content = _without_name(text, me) or ("" if files else _other(message))
    if not (content or files) or (edited and not text):
        return None
    return Said(
        person=str(int(sender["id"])),
        chat=str(int(chat["id"])),
        thread=_thread(message),
        content=f"{EDITED}\n{content}" if edited else content,
        sender=_name(sender),
        private=chat["type"] == "private",
        message=int(message["message_id"]),
        files=() if edited else files,
    )


def _thread(message: Fields) -> str | None:
    return str(int(message["message_thread_id"])) if message.get("is_topic_message") else None


def _name(sender: Fields) -> str:
    return " ".join(str(sender[key]) for key in ("first_name", "last_name") if sender.get(key))


def _names(text: str, entities: Any, me: Me) -> bool:
    """Return whether a text names the bot: offsets count UTF-16 code units."""
    coded = text.encode("utf-16-le", "surrogatepass")
    for entity in entities:
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


def _files(message: Fields) -> tuple[File, ...]:
    if sizes := message.get("photo"):
        largest = max(sizes, key=lambda size: (size.get("width", 0) * size.get("height", 0), size.get("file_size", 0)))
        return (File(id=largest["file_id"], kind="a photo", suffix=".jpg", size=largest.get("file_size")),)
    for name, (kind, suffix) in _FILES.items():
        if found := message.get(name):
            return (
                File(
                    id=found["file_id"],
                    kind=kind,
                    suffix=suffix,
                    name=str(found.get("file_name") or ""),
                    size=found.get("file_size"),
                ),
            )
    return ()


def _other(message: Fields) -> str:
    """Return words for what is neither a text nor a file; "" for what nobody says."""
    match message:
        case {"location": {"latitude": latitude, "longitude": longitude}}:
            return f"[A place: {latitude}, {longitude}]"
        case {"contact": {"first_name": name, "phone_number": number}}:
            return f"[A contact: {name}, {number}]"
        case {"sticker": sticker}:
            return f"[A sticker: {sticker.get('emoji') or 'without an emoji'}]"
        case {"poll": {"question": question}}:
            return f"[A poll: {question}]"
        case {"dice": {"emoji": emoji, "value": value}}:
            return f"[{emoji} shows {value}]"
        case _:
            return ""
