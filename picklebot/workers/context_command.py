"""/context: what fills the window of a conversation's model.

Promises figures that add up, a line each, counted where the model counted and estimated where it did not. Knows no
platform.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from picklebot.agent.context import Room
from picklebot.agent.conversation import Conversation
from picklebot.agent.money import BYTES_PER_TOKEN, weigh, weigh_around
from picklebot.agent.recall import notes_in
from picklebot.core.messages import Message
from picklebot.core.source import Source
from picklebot.errors import NotFound
from picklebot.models.base import ModelRequest
from picklebot.store.base import Session, Sessions
from picklebot.workers.commands import Command
from picklebot.workers.transcripts import Transcripts


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What stands around a conversation: `request` without its messages, what of it are skills, who reads it."""

    request: ModelRequest
    skills: str
    model: str
    room: Room


class Prompts(Protocol):
    """Puts together what stands around a conversation."""

    def prompt(self, session: Session) -> Prompt:
        """Return it.

        Raises:
            NotFound, ConfigError: there is no such agent, or no model for it.
        """
        ...


class ContextCommand:
    """Answers /context."""

    def __init__(self, *, sessions: Sessions, transcripts: Transcripts, prompts: Prompts) -> None:
        self._sessions = sessions
        self._transcripts = transcripts
        self._prompts = prompts

    def table(self) -> Mapping[str, Command]:
        """Return the command by name."""
        return {"context": Command("context", "", "What fills the window of the model here.", self._context)}

    async def _context(self, source: Source, argument: str) -> str:
        session = await self._sessions.current(source)
        if session is None:
            raise NotFound("there is no session here yet: say something first")
        prompt = self._prompts.prompt(session)
        conversation = await self._transcripts.get(session.id, begun=True)
        return "\n".join(_lines(prompt, conversation, session))


def _lines(prompt: Prompt, conversation: Conversation, session: Session) -> Iterator[str]:
    parts = _weights(prompt, conversation)
    weight = sum(parts.values())
    conversation.meter.place(weight)
    whole = conversation.meter.estimate(weight)
    window, limit = prompt.room.window, prompt.room.limit
    of = f" of {window:,} ({whole / window:.0%})" if window else ""
    yield f"About {whole:,.0f}{of} tokens of {prompt.model}'s window are filled, in session {session.id}."
    for name, part in parts.items():
        if part:
            yield f"- {name}: {whole * part / max(weight, 1):,.0f}"
    shown = len(conversation.messages) - (conversation.compaction.before if conversation.compaction else 0)
    yield f"- messages: {len(conversation.messages)}, {shown} of them shown as they were said"
    if window and limit:
        free = max(window - whole, 0)
        yield f"- free: {free:,.0f}"
        yield f"It is made shorter before more than {limit:,.0f} are filled, or with /compact."
    else:
        yield "How much the model takes is not known, and its server does not say: `context.window` in config.yaml would."


def weight_of_notes(message: Message) -> float:
    """Return what the notes weigh that stand beside a message."""
    found = notes_in(message)
    return weigh(Message("user", (found,))) if found else 0.0


def _weights(prompt: Prompt, conversation: Conversation) -> dict[str, float]:
    """Return what each part weighs."""
    system, skills = (len(text.encode()) / BYTES_PER_TOKEN for text in (prompt.request.system, prompt.skills))
    compaction, notes = conversation.compaction, sum(map(weight_of_notes, conversation.shown))
    record = weigh(conversation.shown[0]) if compaction and compaction.digest else 0.0
    return {
        "system prompt": system - skills,
        "skills": skills,
        "tools": weigh_around(prompt.request) - system,
        "record of what came before": record,
        "notes from memory": notes,
        "conversation": conversation.weight - record - notes,
    }
