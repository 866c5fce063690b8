"""Conversations in memory, for the sessions in use.

Promises what the store's transcript says, without reading it again for each turn. It is right because a session has
one turn at a time and every message goes through here; whoever changes a transcript elsewhere calls `forget`.
"""

from collections import OrderedDict
from collections.abc import Sequence

from picklebot.agent.conversation import Conversation
from picklebot.core.marks import NO_MARKS, Marks
from picklebot.core.messages import Message
from picklebot.store.base import Compactions, Sessions, Sight

# Conversations kept at hand; the rest are read from the store when they speak again. There is room for every session
# that has a lane at once: with less, a mountain of open messages would have each turn read its conversation anew.
MAX_SESSIONS = 1024
MAX_BYTES = 96 << 20  #: of memory for all of them together
TOKEN, MESSAGE = 6, 600  #: bytes of a token, and of a message beside its text: short ones are little else


class Transcripts:
    """The most recently used conversations."""

    def __init__(self, sessions: Sessions, compactions: Compactions, *, most: int = MAX_BYTES) -> None:
        """`most`: bytes for all of them together; the one that is asked for is kept whatever it takes."""
        self._sessions = sessions
        self._compactions = compactions
        self._most = most
        self._kept: OrderedDict[str, Conversation] = OrderedDict()
        self._bytes = 0.0

    async def get(self, session_id: str, *, begun: bool = False) -> Conversation:
        """Return a session's conversation up to the turn in hand, which was `begun` before, or was not."""
        conversation = self._kept.get(session_id)
        if conversation is None:
            messages = await self._sessions.transcript(session_id)
            sight = await self._compactions.sight(session_id) if messages or begun else Sight()
            conversation = Conversation(messages, sight.compaction, tokens=sight.tokens)
            conversation.unfinished = sight.unfinished
            conversation.marks = await self._sessions.marks(session_id) if messages else NO_MARKS
            self._kept[session_id] = conversation
            self._bytes += _bytes(conversation)
        self._kept.move_to_end(session_id)
        while len(self._kept) > 1 and (len(self._kept) > MAX_SESSIONS or self._bytes > self._most):
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= _bytes(oldest)
        return conversation

    def append(self, session_id: str, messages: Sequence[Message], marks: Marks = NO_MARKS) -> None:
        """Add what a finished turn has put into the store, and what it had read."""
        if kept := self._kept.get(session_id):
            before = _bytes(kept)
            kept.extend(messages)
            kept.marks |= marks
            self._bytes += _bytes(kept) - before

    def forget(self, session_id: str) -> None:
        """Read this session from the store next time."""
        if kept := self._kept.pop(session_id, None):
            self._bytes -= _bytes(kept)


def _bytes(conversation: Conversation) -> float:
    return conversation.size * TOKEN + len(conversation.messages) * MESSAGE
