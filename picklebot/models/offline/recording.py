"""The record of a conversation that grew too long, as a stand-in can make it: the beginnings of what was said.

Promises to say that it is an extract. Knows no meaning: what is short enough is all there.
"""

from collections.abc import Sequence

from picklebot.core.compaction import RECORDING, SUMMARISING
from picklebot.core.messages import Message
from picklebot.core.text import shorten
from picklebot.models.base import ModelRequest

EACH, LINES = 160, 60  #: characters of one text, and texts, that the record holds
_HEAD = "Extract, made without a language model:"
_BEFORE = "[record of what came before]"


def record(request: ModelRequest) -> Message | None:
    """Return what a request for a record is answered with; None for any other request."""
    if not request.system.startswith(RECORDING):
        return None
    asked = str(request.messages[-1].blocks[-1].get("text") or "")
    if not asked.startswith(SUMMARISING):
        return Message.assistant("There is nothing that I would save.")
    source = str(request.messages[0].blocks[0].get("text") or "")
    return Message.assistant("\n".join([_HEAD, *_lines(source.split("\n\n"))]))


def _lines(parts: Sequence[str]) -> list[str]:
    said = [part for part in parts if part.startswith(("[user] ", "[assistant] "))]
    lines = [f"- {shorten(part.replace('] ', ': ', 1).lstrip('['), EACH)}" for part in said]
    before = [line for part in parts if _BEFORE in part for line in part.splitlines() if line.startswith("- ")]
    return [*before, *lines][-LINES:]
