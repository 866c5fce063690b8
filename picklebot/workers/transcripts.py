"""Conversations in memory, for the sessions in use.

Promises what the store's transcript says, without reading it again for each turn. It is right because a session has
one turn at a time and every message goes through here; whoever changes a transcript elsewhere calls `forget`.
"""

from collections import OrderedDict
from collections.abc import Sequence

from picklebot.agent.money import weigh
from picklebot.core.messages import Message
from picklebot.store.base import Sessions

MAX_SESSIONS = 256  #: conversations kept at hand; the rest are read from the store when they speak again


class Transcripts:
    """The most recently used conversations."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._kept: OrderedDict[str, Conversation] = OrderedDict()

    async def get(self, session_id: str) -> "Conversation":
        """Return a session's messages, oldest first."""
        conversation = self._kept.get(session_id)
        if conversation is None:
            conversation = Conversation(await self._sessions.transcript(session_id))
            self._kept[session_id] = conversation
            while len(self._kept) > MAX_SESSIONS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(session_id)
        return conversation

    def append(self, session_id: str, messages: Sequence[Message]) -> None:
        """Add what a finished turn has put into the store."""
        if kept := self._kept.get(session_id):
            kept.extend(messages)

    def forget(self, session_id: str) -> None:
        """Read this session from the store next time."""
        self._kept.pop(session_id, None)


class Conversation:
    """A session's messages, and how many tokens they take at most."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._messages = list(messages)
        self.tokens = sum(map(weigh, messages))

    @property
    def messages(self) -> Sequence[Message]:
        """Oldest first. Do not change what it returns."""
        return self._messages

    def extend(self, messages: Sequence[Message]) -> None:
        """Add messages at the end."""
        self._messages.extend(messages)
        self.tokens += sum(map(weigh, messages))
