"""What a message of Telegram's holds: text, files, and words for the rest.

Promises a word for whatever a person can send; what the service says by itself has none. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Fields: TypeAlias = Mapping[str, Any]

_FILES = {
    "document": ("a file", ""),
    "voice": ("a voice message", ".ogg"),
    "audio": ("music", ".mp3"),
    "video": ("a video", ".mp4"),
    "video_note": ("a video", ".mp4"),
    "animation": ("an animation", ".mp4"),
}
_UNREADABLE = {
    "story": "A story",
    "paid_media": "Something that costs money",
    "game": "A game",
    "checklist": "A checklist",
    "giveaway": "A giveaway",
    "invoice": "An invoice",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file on Telegram's side."""

    id: str
    kind: str
    suffix: str
    name: str = ""
    size: int | None = None


def text_of(message: Fields) -> str:
    """Return what is written in it or below it."""
    return str(message.get("text") or message.get("caption") or "")


def name_of(sender: Fields) -> str:
    """Return what somebody calls themselves."""
    return " ".join(str(sender[key]) for key in ("first_name", "last_name") if sender.get(key))


def files_of(message: Fields) -> tuple[File, ...]:
    """Return the files that came with it; of a photo, the largest."""
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


def other_words(message: Fields) -> str:
    """Return words for what is neither a text nor a file; "" for what nobody says."""
    match message:
        case {
            "venue": {"title": title, "address": address, "location": {"latitude": latitude, "longitude": longitude}}
        }:
            return f"[A place: {title}, {address} ({latitude}, {longitude})]"
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
            found = next((words for name, words in _UNREADABLE.items() if name in message), None)
            return f"[{found}, which a bot cannot read]" if found else ""
