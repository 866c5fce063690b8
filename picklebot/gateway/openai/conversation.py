"""Which session a completion belongs to, and what of it is new.

The client sends its whole conversation each time; here the session has it. Promises that a conversation goes on in
the session that has heard it, that one which nobody has heard begins in a fresh one with what the client knows as
data, and that a session is never found by an accident of equal words alone. Knows no turn.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from picklebot.agent.prompt import spoken
from picklebot.core.messages import Message
from picklebot.core.source import Source
from picklebot.errors import NotFound
from picklebot.gateway.openai.request import ChatMessage, CompletionRequest, Refusal
from picklebot.store.base import Session, Sessions

SESSION = "x-picklebot-session"  #: the header by which a client names the session
CHAT = "x-openwebui-chat-id"  #: sent by Open WebUI where it forwards such things
CANDIDATES = 20  #: sessions that began with the same words and are looked through
_INSTRUCTIONS = ("system", "developer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where a question goes, and in which words. With no `session` it opens a fresh one."""

    source: Source
    session: str | None
    content: str


class Conversations:
    """Finds sessions."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def place(self, request: CompletionRequest, headers: Mapping[str, str]) -> Placed:
        """Return where the last message of a request goes.

        Raises:
            Refusal: the client names a session that does not exist, or is another agent's.
        """
        source = Source("http", (f"openai-{_name(request, headers.get(CHAT, ''))}",))
        if named := headers.get(SESSION):
            session = await self._named(named, request.model)
            return Placed(source=source, session=session.id, content=request.question)
        heard = [_squeezed(message.text) for message in request.history if message.role == "assistant"]
        if heard:
            for session in await self._sessions.recent(source=source, limit=CANDIDATES):
                transcript = await self._sessions.transcript(session.id)
                if session.agent_id == request.model and _has_said(transcript, heard):
                    return Placed(source=source, session=session.id, content=_going_on(request, transcript))
        return Placed(source=source, session=None, content=_beginning(request))

    async def _named(self, session_id: str, model: str) -> Session:
        try:
            session = await self._sessions.get(session_id)
        except NotFound as exc:
            raise Refusal(404, str(exc), code="session_not_found") from exc
        if session.agent_id != model:
            words = f"session {session.id} is one of {session.agent_id!r}, not of {model!r}"
            raise Refusal(400, words, code="another_model", param="model")
        return session


def _name(request: CompletionRequest, chat: str) -> str:
    """Return what tells conversations apart before anything was answered: who asks whom, and how it begins."""
    first = next(message.text for message in request.messages if message.role == "user")
    parts = json.dumps([request.model, request.user or "", chat, first]).encode()
    return hashlib.sha256(parts).hexdigest()[:24]


def _has_said(transcript: Sequence[Message], heard: Sequence[str]) -> bool:
    """Return whether everything that the client heard was said here; it may have heard more between tools."""
    said = [_squeezed(spoken(message)) for message in transcript if message.role == "assistant"]
    return all(any(text and text in each for text in said) for each in heard)


def _going_on(request: CompletionRequest, transcript: Sequence[Message]) -> str:
    instructions = _instructions(request.history)
    known = any(instructions in spoken(message) for message in transcript if message.role == "user")
    return request.question if known else _with(request.question, instructions, "")


def _beginning(request: CompletionRequest) -> str:
    earlier = [message for message in request.history if message.role not in _INSTRUCTIONS and message.text.strip()]
    history = "\n\n".join(f"{message.role}: {message.text}" for message in earlier)
    return _with(request.question, _instructions(request.history), history)


def _with(question: str, instructions: str, history: str) -> str:
    """Return the question after what the client sends along. A slash command stands alone, or it would be none."""
    if question.lstrip().startswith("/"):
        return question
    parts = [
        f"<{name}>\n{text}\n</{name}>"
        for name, text in (("client-instructions", instructions), ("conversation-so-far", history))
        if text
    ]
    return "\n\n".join([*parts, question])


def _instructions(history: Sequence[ChatMessage]) -> str:
    texts = (message.text.strip() for message in history if message.role in _INSTRUCTIONS)
    return "\n\n".join(text for text in texts if text)


def _squeezed(text: str) -> str:
    return "".join(text.split())
