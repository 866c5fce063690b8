"""What to do with a model's reply: pure.

A tool runs only when the model stopped in order to have it run; every other stop reason is met by name, and an
unknown one ends the turn with what was said.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from picklebot.core.messages import Message, ToolCall, ToolResult
from picklebot.core.replies import ModelReply
from picklebot.errors import ContextTooLong

MAX_CALLS = 16  #: tool calls of one reply that are run; the model is told of the rest
WARN_AT, STOP_AT = 3, 5  #: steps in a row with the same call: a word to the model, the end of the turn

WINDOW_FULL = "model_context_window_exceeded"  #: the stop reason of a reply that the end of the window cut off
NUDGE = "[Your last reply was empty. Answer the user now, in words.]"
NO_ANSWER = "(The model gave no answer.)"


@dataclass(frozen=True, slots=True)
class RunTools:
    """Run these calls and show the model what came of them."""

    calls: Sequence[ToolCall]
    refused: Sequence[ToolResult] = ()


@dataclass(frozen=True, slots=True)
class AskAgain:
    """Ask again; `note` is put to the model first, if there is one."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The turn's answer."""

    text: str


Verdict: TypeAlias = RunTools | AskAgain | Answer


def judge(reply: ModelReply, *, nudged: bool, max_tokens: int) -> Verdict:
    """Decide what follows from `reply`. `nudged`: the model was already asked for words once.

    Raises:
        ContextTooLong: the model says that its window is full.
    """
    calls = reply.message.calls()
    text = reply.message.text
    if calls:
        return _judge_calls(reply, calls)
    match reply.stop_reason:
        case "pause_turn":
            return AskAgain()
        case _ if reply.stop_reason == WINDOW_FULL:
            raise ContextTooLong("the conversation has filled the model's window; /new starts a fresh one")
        case "refusal":
            return Answer(text or "The model declined to answer this.")
        case "max_tokens" if text:
            return Answer(f'{text}\n\n(The answer was cut off at {max_tokens} tokens; say "go on" for the rest.)')
        case _ if text.strip():
            return Answer(text)
        case _:
            return Answer(NO_ANSWER) if nudged else AskAgain(NUDGE)


def _judge_calls(reply: ModelReply, calls: Sequence[ToolCall]) -> RunTools:
    if reply.stop_reason != "tool_use":
        reason = f"Not run: the reply ended with {reply.stop_reason!r} before the call was complete. Make it again."
        return RunTools((), tuple(ToolResult(call.id, reason, is_error=True) for call in calls))
    over = (
        f"Not run: a reply may make {MAX_CALLS} calls at once, this one made {len(calls)}. Make this one again later."
    )
    return RunTools(calls[:MAX_CALLS], tuple(ToolResult(call.id, over, is_error=True) for call in calls[MAX_CALLS:]))


class Streaks:
    """Counts how many steps in a row made the same call."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def count(self, calls: Sequence[ToolCall]) -> int:
        """Take the calls of the next step; return the longest streak among them."""
        signatures = {f"{call.name} {json.dumps(dict(call.input), sort_keys=True)}" for call in calls}
        self._counts = {signature: self._counts.get(signature, 0) + 1 for signature in signatures}
        return max(self._counts.values(), default=0)


def with_fresh_ids(message: Message, before: Sequence[Message]) -> Message:
    """Return `message` with every call id that the conversation has used already replaced by a new one.

    Some local servers count their calls from one in each reply, and the API refuses a conversation with two alike:
    the session would be stuck for ever.
    """
    if not (asked := {call.id for call in message.calls()}):
        return message
    taken = asked & {call.id for earlier in before if earlier.role == "assistant" for call in earlier.calls()}
    if not taken:
        return message
    fresh = {call_id: f"{call_id}_{len(before)}" for call_id in taken}
    blocks = tuple(
        {**block, "id": fresh.get(block["id"], block["id"])} if block.get("type") == "tool_use" else block
        for block in message.blocks
    )
    problems = {fresh.get(call_id, call_id): problem for call_id, problem in message.problems.items()}
    return Message(message.role, blocks, problems)


def close_calls(messages: Sequence[Message], results: Sequence[ToolResult], why: str) -> list[Message]:
    """Return `messages` with every call answered: by its result if there is one, else by an error that says `why`.

    The API refuses a conversation whose last calls have no results.
    """
    closed = list(messages)
    if closed and closed[-1].role == "assistant" and (calls := closed[-1].calls()):
        known = {result.call_id: result for result in results}
        closed.append(Message.results([known.get(c.id, ToolResult(c.id, why, is_error=True)) for c in calls]))
    return closed
