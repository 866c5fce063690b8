"""`@cookie what do you know of tea?`: one message for one agent, named at its beginning.

Promises that only the first word counts, and only the name of an agent; everything else is text. Knows no session.
"""

import re

from picklebot.core.events import InboundEvent, TurnEvent

_MENTION = re.compile(r"\s*@([A-Za-z0-9][A-Za-z0-9_-]{0,63})[,:]?\s+\S")


def mentioned(content: str) -> str | None:
    """Return the name that a message begins with, if it begins with one and goes on."""
    match = _MENTION.match(content)
    return match[1] if match else None


def unaddressed(event: TurnEvent) -> str:
    """Return what a message says to the agent that answers it, without that agent's name in front."""
    match = _MENTION.match(event.content) if isinstance(event, InboundEvent) else None
    return event.content[match.end() - 1 :] if match and match[1] == event.agent_id else event.content


def signed(event: InboundEvent, text: str) -> str:
    """Return a reply as its reader sees it: one to a mention says whose it is."""
    return f"{event.agent_id}: {text}" if mentioned(event.content) == event.agent_id else text
