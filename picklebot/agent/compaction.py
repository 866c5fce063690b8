"""Making a record of the older part of a conversation: a memory flush, then a summary, each written down at once.

Promises that the model may save notes before anything is put away and do nothing else, that a crash repeats at most one
model call, and that a summary which is no good changes nothing. Knows a model and one tool. Knows no store.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from picklebot.agent.calls import CallRunner
from picklebot.agent.paid_model import PaidModel
from picklebot.agent.summary import FLUSH, KEEP, SUMMARISE, SYSTEM, problem
from picklebot.agent.verdict import RunTools, judge
from picklebot.core.compaction import Begun, CompactionJournal
from picklebot.core.journal import PlannedCall, RecordedStep
from picklebot.core.marks import NO_MARKS, Marks
from picklebot.core.messages import Message, ToolCall
from picklebot.models.base import ModelRequest, ToolSchema
from picklebot.tools.base import Effect

logger = logging.getLogger(__name__)

FLUSHING = "save_memory"  #: the only tool that a flush may call
LEAST_WORDS, MOST_WORDS = 150, 1_200  #: of a summary
WORDS_SHARE = 0.08  #: of the tokens that there is room for


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What is to be put away: the text of it, and the room that its record has, in tokens."""

    source: str
    room: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What came of it: a summary, or why there is none, and the model call that it came from."""

    summary: str
    problem: str
    step: RecordedStep


class RecordKeeper:
    """Asks the model of a turn for the record of what it will see no longer."""

    def __init__(
        self,
        *,
        agent_name: str,
        max_tokens: int,
        model: PaidModel,
        calls: CallRunner,
        marks: Callable[[], Marks] = lambda: NO_MARKS,
    ) -> None:
        """`calls` runs what a flush may call: save_memory, or nothing at all where the agent may not.

        `marks` says what the turn has read by then: what is saved of it bears the same.
        """
        self._system = SYSTEM.format(agent=agent_name)
        self._max_tokens = max_tokens
        self._model = model
        self._calls = calls
        self._marks = marks

    def count(self, cost: float) -> None:
        """Count what was spent before a restart."""
        self._model.count(cost)

    async def write(self, begun: Begun, brief: Brief, journal: CompactionJournal) -> Written:
        """Let notes be saved, then return the record.

        Raises:
            ContextTooLong: even this part is too long for the model.
            Parked, LimitReached, ModelError: as for any call.
        """
        messages = await self._flush(begun, brief, journal)
        step = await self._ask(begun.step - 1, messages)
        found = problem(step.reply, brief.source)
        return Written(summary=step.reply.message.text.strip(), problem=found, step=step)

    async def _flush(self, begun: Begun, brief: Brief, journal: CompactionJournal) -> list[Message]:
        """Let the model save what should be remembered; return the conversation that asks for the summary."""
        words = int(min(max(brief.room * WORDS_SHARE, LEAST_WORDS), MOST_WORDS))
        wish = SUMMARISE.format(words=words)
        if begun.keep:
            wish = f"{wish} {KEEP.format(keep=begun.keep)}"
        if FLUSHING not in self._calls.tools:
            return [Message.user(brief.source, wish)]
        opening = Message.user(brief.source, FLUSH)
        step = begun.steps.get(begun.step)
        known = step is not None
        if step is None:
            step = await self._ask(begun.step, [opening])
        reply = step.reply
        verdict = judge(reply, nudged=True, max_tokens=self._max_tokens)
        if not isinstance(verdict, RunTools):
            if not known:
                await journal.record_flush(step, [])
            said = reply.message if reply.message.text.strip() else Message.assistant("Nothing.")
            return [opening, said, Message.user(wish)]
        if not known:
            await journal.record_flush(step, [self._planned(call) for call in verdict.calls])
        self._calls.marks = self._marks()
        results = [*await self._calls.run(step.n, verdict.calls, step.calls), *verdict.refused]
        logger.info("saved %d notes before a compaction", sum(not result.is_error for result in results))
        return [opening, reply.message, Message.results(results, wish)]

    def _planned(self, call: ToolCall) -> PlannedCall:
        tool = self._calls.tools.get(call.name)
        effect = (tool.effect if tool else Effect.PURE).value
        return PlannedCall(call_id=call.id, tool=call.name, effect=effect, input=call.input)

    async def _ask(self, n: int, messages: Sequence[Message]) -> RecordedStep:
        tools = [
            ToolSchema(name=tool.name, description=tool.description, input_schema=tool.input_schema)
            for tool in self._calls.tools.values()
        ]
        # The same tools both times, so that the summary reads from the cache what the flush has put there.
        request = ModelRequest(system=self._system, messages=messages, tools=tools, max_tokens=self._max_tokens)
        return await self._model.ask(n, request, _unheard)


async def _unheard(piece: str, restart: bool) -> None:
    """Nobody listens to a model that writes a record."""
