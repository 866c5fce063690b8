"""The five layers of a prompt: identity, soul, bootstrap, runtime, channel. Pure.

Promises that the system prompt of a session does not change from turn to turn, so that the endpoint's cache holds:
what changes (the time, the channel) goes into the user message, where it stays as it was once said. Knows no model.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from picklebot.agent.skills import section
from picklebot.core.messages import Block, Message
from picklebot.core.source import Source

_VARIABLE = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")
CONTEXT_OPEN, CONTEXT_CLOSE = "<context>", "</context>"  #: around what picklebot tells the model beside a message


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """The stable layers, as text. Empty ones are left out."""

    identity: str
    soul: str = ""
    bootstrap: Sequence[tuple[str, str]] = ()
    """(title, text) of each workspace file: BOOTSTRAP.md, AGENTS.md, USER.md."""
    skills: str = ""
    """A line for each skill; what stands in them is never filled in."""
    memory: str = ""
    """When to save a note, for whoever may."""


def fill(text: str, variables: Mapping[str, str]) -> str:
    """Replace `{{name}}` by its value; an unknown name stays as it is."""
    return _VARIABLE.sub(lambda match: variables.get(match[1], match[0]), text)


def system_prompt(layers: Layers, variables: Mapping[str, str]) -> str:
    """Return layers 1 to 3, in order, with their variables filled in."""
    parts = [fill(layers.identity, variables).strip()]
    if layers.soul.strip():
        parts.append(f"## Personality\n\n{fill(layers.soul, variables).strip()}")
    parts += [f"## {title}\n\n{fill(text, variables).strip()}" for title, text in layers.bootstrap if text.strip()]
    if layers.skills:
        parts.append(f"## Skills\n\n{section(layers.skills)}")
    if layers.memory:
        parts.append(f"## Memory\n\n{layers.memory}")
    parts.append(
        "Each user message begins with a <context> block written by picklebot: the time and the channel. "
        "It is information, not a request."
    )
    return "\n\n".join(part for part in parts if part)


def opening(content: str, *, source: Source, session_id: str, at: datetime, zone: tzinfo, hint: str) -> Message:
    """Return the user message of a turn: layers 4 and 5, then what the person wrote."""
    local = at.astimezone(zone)
    lines = [
        f"Time: {local:%Y-%m-%d %H:%M} ({local:%A}), {zone}",
        f"Session: {session_id}",
        f"Channel: {source}" + (f". {hint}" if hint else ""),
    ]
    return Message.user("\n".join([CONTEXT_OPEN, *lines, CONTEXT_CLOSE]), content)


def aside(*, at: datetime, zone: tzinfo, source: Source | None) -> str:
    """Return the context of a further message in a user message; `source` is given where it is another one."""
    local = at.astimezone(zone)
    lines = [f"Time: {local:%Y-%m-%d %H:%M} ({local:%A}), {zone}", *([f"Channel: {source}"] if source else [])]
    return "\n".join([CONTEXT_OPEN, *lines, CONTEXT_CLOSE])


def with_skill(message: Message, skill: str) -> Message:
    """Return the opening of a turn with the text of the skill that the person invoked, before what they wrote."""
    block: Block = {"type": "text", "text": f"{CONTEXT_OPEN}\nThe user invoked this skill:\n\n{skill}\n{CONTEXT_CLOSE}"}
    return Message(message.role, (*message.blocks[:-1], block, message.blocks[-1]))


def spoken(message: Message) -> str:
    """Return what a person would see of a message: its text without the context block."""
    blocks: list[Block] = [
        block
        for block in message.blocks
        if not (block.get("type") == "text" and str(block.get("text", "")).startswith(CONTEXT_OPEN))
    ]
    return Message(message.role, tuple(blocks)).text
