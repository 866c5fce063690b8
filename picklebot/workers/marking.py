"""What a turn has read before it begins: its message, the conversation, and what the turn that called it had read.

Pure. Knows no tool's work, only what each declares.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from picklebot.agent.conversation import Conversation
from picklebot.agent.recall import notes_in
from picklebot.core.events import DispatchEvent, InboundEvent, TurnEvent
from picklebot.core.marks import BOTH, NO_MARKS, Mark, Marks
from picklebot.core.messages import Message
from picklebot.core.source import Source
from picklebot.tools.base import Tool
from picklebot.tools.dispatch import DISPATCH
from picklebot.workers.company import OWN

_OUTSIDE: Mark = "outside"
_PRIVATE: Mark = "private"


def marks_of(
    event: TurnEvent, conversation: Conversation, tools: Mapping[str, Tool], *, is_owner: Callable[[Source], bool]
) -> Marks:
    """Return the marks with which a turn begins.

    A conversation is judged by what its turns are known to have read, and by the tools that it used, because it may be
    older than that: its text does not say what another agent read for an answer, nor what a tool that is gone was, so
    these count as both.
    """
    history = conversation.messages
    given = event.rights.marks if isinstance(event, DispatchEvent) else _message(event, is_owner)
    return given.union(conversation.marks, marks_beside(history), *(_read(name, tools) for name in set(_used(history))))


def marks_beside(messages: Iterable[Message]) -> Marks:
    """Return what the notes bring that stand beside messages: they are the owner's, as if the model had read them."""
    return frozenset({_PRIVATE}) if any(map(notes_in, messages)) else NO_MARKS


def marks_said(events: Iterable[TurnEvent]) -> Marks:
    """Return what messages bring of somebody else's words."""
    brought = any(isinstance(event, InboundEvent) and event.outside for event in events)
    return frozenset({_OUTSIDE}) if brought else NO_MARKS


def marks_shown(tools: Iterable[Tool]) -> Marks:
    """Return what a turn has read before its first step because it is told of these tools."""
    return frozenset({_OUTSIDE}) if any(tool.unread for tool in tools) else NO_MARKS


def _message(event: TurnEvent, is_owner: Callable[[Source], bool]) -> Marks:
    ours = is_owner(event.source) or event.source.channel in OWN
    return marks_said([event]) if ours else frozenset({_OUTSIDE})


def _read(name: str, tools: Mapping[str, Tool]) -> Marks:
    tool = tools.get(name)
    return BOTH if tool is None or name == DISPATCH else tool.marks


def _used(history: Sequence[Message]) -> Iterator[str]:
    for message in history:
        if message.role == "assistant":
            yield from (str(block["name"]) for block in message.blocks if block["type"] == "tool_use")
