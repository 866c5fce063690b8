"""What Discord brings, read: who says what, where, and whether to us.

Promises that ids decide who speaks, that nobody but a person is heard, and that in company only what names the bot is.
Pure.
"""

from dataclasses import dataclass
from typing import Any, cast

import discord

_PLAIN = (discord.MessageType.default, discord.MessageType.reply)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a person said. `room` is the Discord channel, `pressed` the id of the message whose button it was."""

    id: int
    person: str
    room: int
    content: str
    sender: str
    private: bool
    outside: bool = False
    files: tuple[discord.Attachment, ...] = ()
    pressed: int | None = None

    @property
    def place(self) -> str:
        """Where they are answered: by their own id where nobody else reads it."""
        return self.person if self.private else str(self.room)


def read(message: discord.Message, me: int, *, private: bool) -> Said | None:
    """Return what a person said to the bot; None if nobody did."""
    author = message.author
    if author.bot or author.id == me or message.webhook_id is not None or message.type not in _PLAIN:
        return None
    if not private and all(user.id != me for user in message.mentions):
        return None
    content, files = _without_name(message.content, me), tuple(message.attachments)
    for forwarded in message.message_snapshots:
        content += f"\n[Forwarded:]\n{forwarded.content}"
        files += tuple(forwarded.attachments)
    if not content and message.stickers:
        content = f"[A sticker: {message.stickers[0].name}]"
    if not (content or files):
        return None
    return Said(
        id=message.id,
        person=str(author.id),
        room=message.channel.id,
        content=content.strip(),
        sender=author.global_name or author.name,
        private=private,
        outside=bool(message.message_snapshots),
        files=files,
    )


def pressed(press: discord.Interaction) -> Said | None:
    """Return what a button, or a command of the menu, says; None where it was none of ours."""
    given = cast("dict[str, Any]", press.data or {})
    if press.type is discord.InteractionType.application_command:
        words = " ".join(
            [f"/{given.get('name', '')}", *(str(each.get("value", "")) for each in given.get("options", ()))]
        )
    elif press.type is discord.InteractionType.component and press.message is not None:
        words = str(given.get("custom_id", ""))
    else:
        return None
    if not words.startswith("/"):
        return None
    return Said(
        id=press.id,
        person=str(press.user.id),
        room=press.channel_id or 0,
        content=words,
        sender=press.user.global_name or press.user.name,
        private=press.guild_id is None,
        pressed=press.message.id if press.message is not None else None,
    )


def is_private(message: discord.Message) -> bool:
    """Return whether nobody but the sender reads along."""
    return isinstance(message.channel, discord.DMChannel)


def _without_name(text: str, me: int) -> str:
    """Return a text without the bot's name before it: what is said to the bot is not about the bot."""
    stripped = text.strip()
    for name in (f"<@{me}>", f"<@!{me}>"):
        if stripped.startswith(name):
            return stripped.removeprefix(name).lstrip(" ,:\n")
    return stripped
