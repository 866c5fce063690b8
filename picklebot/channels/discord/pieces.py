"""What goes along with a message on Discord: files both ways, buttons, and what it is known by. Knows no conversation."""

import hashlib
import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import discord

from picklebot.channels.base import Attached, Choice
from picklebot.channels.discord.client import translated

_LABEL, _WORDS, _BUTTONS = 80, 100, 25  # characters of a button and behind it, and buttons of a message
_NAME, _TEXT, _COMMANDS = re.compile(r"[a-z0-9_-]{1,32}"), 3, 100  # of commands in the menu, and how many there may be


def attached(file: discord.Attachment) -> Attached:
    """Return a file that came with a message."""
    photo = (file.content_type or "").startswith("image/")
    kind = "a photo" if photo else "a voice message" if file.is_voice_message() else "a file"
    return Attached(kind=kind, fetch=partial(_fetch, file), name=file.filename, size=file.size)


async def _fetch(file: discord.Attachment, most: int) -> bytes:
    with translated():
        return (await file.read())[: most + 1]


def nonce_of(key: str, number: int) -> str:
    """Return what Discord knows a piece of a message by: at most 25 characters."""
    return hashlib.blake2b(f"{key}:{number}".encode(), digest_size=12).hexdigest()


def menu(commands: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return commands as Discord lists them; what follows one is its text."""
    rest = {"type": _TEXT, "name": "text", "description": "what follows the command", "required": False}
    return [
        {"type": 1, "name": name, "description": (words or name)[:_WORDS], "options": [rest]}
        for name, words in commands[:_COMMANDS]
        if _NAME.fullmatch(name)
    ]


def buttons(choices: Sequence[Choice]) -> discord.ui.View | None:
    """Return choices as buttons; those whose words are too long are left to be typed."""
    view = discord.ui.View(timeout=None)
    labels = {choice.says: choice.label for choice in choices if len(choice.says) <= _WORDS}
    for says, label in [*labels.items()][:_BUTTONS]:
        button: discord.ui.Button[discord.ui.View] = discord.ui.Button(label=label[:_LABEL], custom_id=says)
        view.add_item(button)
    view.stop()  # what is pressed comes in as it is: discord.py need not remember this
    return view if view.children else None
