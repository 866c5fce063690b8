"""What leaves with a reply: the message that it grew in, buttons, files; and words where a channel takes words only.

Promises that whoever reads it on any channel can answer what is asked, and knows which file is meant. Knows no
platform.
"""

from typing import Protocol

from picklebot.channels.base import Channel, Choice, Letter, RichChannel, SentFile
from picklebot.core.events import OutboundEvent


class Previews(Protocol):
    """Knows which message shows the beginning of a reply."""

    async def take(self, event: OutboundEvent) -> str | None:
        """Return it, once nothing more is shown of it."""
        ...


class Files(Protocol):
    """Reads files of the workspace that are to be sent."""

    async def take(self, where: str) -> SentFile:
        """Read one.

        Raises:
            DeliveryRejected: it may not, or cannot, be sent.
        """
        ...


class Packing:
    """Sends replies with all that goes with them."""

    def __init__(self, *, previews: Previews | None = None, files: Files | None = None) -> None:
        self._previews = previews
        self._files = files

    async def send(self, channel: Channel, event: OutboundEvent, *, again: bool = False) -> str:
        """Deliver a reply; return the platform's receipt. `again`: it was tried before.

        Raises:
            ChannelError: as `Channel.send` does.
        """
        if not isinstance(channel, RichChannel):
            return await channel.send(event.to, in_words(event), key=event.id)
        files = [await self._files.take(where) for where in event.files] if self._files else []
        draft = await self._previews.take(event) if self._previews else None
        choices = [Choice(label=label, says=says) for label, says in event.choices]
        answers = [event.cause_id, *event.also] if event.cause_id else list(event.also)
        letter = Letter(
            content=event.content,
            key=event.id,
            draft=draft,
            choices=choices,
            files=files,
            answers=answers,
            tried_since=event.created_at if again else None,
        )
        return await channel.deliver(event.to, letter)


def in_words(event: OutboundEvent) -> str:
    """Return a reply as text that says all there is."""
    untold = [f"{says} - {label}" for label, says in event.choices if says not in event.content]
    files = [f"[File: {where}]" for where in event.files]
    return "\n".join(part for part in (event.content, *untold, *files) if part)
