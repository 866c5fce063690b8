"""A stand-in for a model: no network, no key, a few rules.

Promises to say plainly what it is, to drive the same tool loop as a model does, and the same answer to the same
request. It understands some English requests (`rules` has the table) and nothing else: it reads no meaning, keeps no
state between requests, and knows only what the request says.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterator, Sequence

from picklebot.core.messages import Block, Message
from picklebot.models.base import ModelEvent, ModelReply, ModelRequest, TextChunk, Usage
from picklebot.models.offline.fitting import fits
from picklebot.models.offline.reading import Outcome, read
from picklebot.models.offline.recording import record
from picklebot.models.offline.rule import Action, Say, Scene, Use
from picklebot.models.offline.rules import plan
from picklebot.models.offline.telling import tell

PIECES = 200  #: at most, of one streamed answer
_WORDS = re.compile(r"\S+\s*|\s+")


class OfflineModel:
    """Answers by rules."""

    name = "offline"

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Say the answer word by word, or ask for the tools that it needs."""
        message = answer(request)
        for piece in _pieces(message.text):
            yield TextChunk(piece)
            await asyncio.sleep(0)  # others may speak too
        stop_reason = "tool_use" if message.calls() else "end_turn"
        yield ModelReply(message=message, stop_reason=stop_reason, usage=_usage(request, message), model=self.name)

    async def aclose(self) -> None:
        """Hold nothing, so let go of nothing."""


def create(**_: object) -> OfflineModel:
    """Return the stand-in; it needs no settings, and takes those of other models without using them."""
    return OfflineModel()


def answer(request: ModelRequest) -> Message:
    """Return the next message of the conversation: calls while there is something to do, and then the words."""
    if (made := record(request)) is not None:
        return made
    reading = read(request)
    rounds = iter(reading.rounds)
    told: list[str] = []
    for group in plan(reading.text, reading.scene):
        actions = [_possible(action, reading.scene) for action in group]
        uses = [action for action in actions if isinstance(action, Use)]
        outcomes = _outcomes(rounds, uses) if uses else ()
        if outcomes is None:
            return _calls(uses, request)
        words = iter([tell(outcome) for outcome in outcomes])
        told += [action.text if isinstance(action, Say) else next(words) for action in actions]
        if any(outcome.is_error for outcome in outcomes):
            break  # what was to come after may need what did not work
    return Message.assistant("\n\n".join(told).strip() or "There is nothing to say.")


def _possible(action: Action, scene: Scene) -> Action:
    """Return `action`, or the words for why it cannot be done here."""
    if isinstance(action, Say):
        return action
    tool = scene.tools.get(action.tool)
    if tool is None:
        return Say(f"I have no tool for that here: it would need {action.tool}.")
    if not fits(tool.input_schema, action.input):
        return Say(f"I cannot ask for that here: the tool {action.tool} does not take {dict(action.input)!r}.")
    return action


def _outcomes(rounds: Iterator[Sequence[Outcome]], uses: Sequence[Use]) -> Sequence[Outcome] | None:
    """Return what came of `uses`, if they were already called; rounds that some other model asked for are passed over."""
    wanted = [use.tool for use in uses]
    return next((outcomes for outcomes in rounds if [each.call.name for each in outcomes] == wanted), None)


def _calls(uses: Sequence[Use], request: ModelRequest) -> Message:
    taken = {str(block.get("id")) for message in request.messages for block in message.blocks}
    blocks: list[Block] = []
    for index, use in enumerate(uses):
        call_id = f"offline_{len(request.messages)}_{index}"
        while call_id in taken:  # a conversation that was shortened counts its messages anew
            call_id += "_"
        blocks.append({"type": "tool_use", "id": call_id, "name": use.tool, "input": dict(use.input)})
    return Message("assistant", tuple(blocks))


def _pieces(text: str) -> Iterator[str]:
    words = _WORDS.findall(text)
    size = max(1, -(-len(words) // PIECES))
    for start in range(0, len(words), size):
        yield "".join(words[start : start + size])


def _usage(request: ModelRequest, message: Message) -> Usage:
    """Return tokens at four characters each, so that budgets and reports have something to show."""
    read_in = len(request.system) + sum(len(str(block)) for each in request.messages for block in each.blocks)
    said = sum(len(str(block)) for block in message.blocks)
    return Usage(input_tokens=read_in // 4, output_tokens=said // 4)
