"""`picklebot sessions fork`: a conversation goes on from one of its steps, in a session of its own.

Promises that the original stays as it is. A step is what the agent said at once, with what came of the calls it made;
they are counted from 1, through all turns.
"""

import asyncio
from collections.abc import Sequence

from picklebot.agent.verdict import close_calls
from picklebot.channels.terminal import TerminalChannel, whoami
from picklebot.cli.output import counted, remark, say
from picklebot.cli.writing import writing
from picklebot.clock import SystemClock
from picklebot.config import Config
from picklebot.core.messages import Message, ToolResult
from picklebot.core.text import shorten
from picklebot.errors import NotFound
from picklebot.store.reports import TurnReport

Said = Sequence[tuple[int, Message]]

NO_RESULT = "No result: this conversation was forked from one in which the call had not ended."
_WIDE = 80


def fork(*, config: Config, session: str, at: int | None) -> int:
    """Copy a session up to step `at`, or as a whole, and make the copy the terminal's current one; print its id.

    Raises:
        NotFound: there is no such session, or no such step.
    """
    source = TerminalChannel(whoami()).source
    with writing(config, role="sessions fork") as store:
        original = asyncio.run(store.sessions.get(session))
        turns = asyncio.run(store.reports.turns(original.id))
        whole = [*asyncio.run(store.reports.said(original.id)), *_unfinished(turns)]
        steps = sum(message.role == "assistant" for _, message in whole)
        last = steps if at is None else at
        kept = _upto(whole, last)
        said = _closed(kept, last)
        made = asyncio.run(store.forks.fork(original, said, source=source, at=SystemClock().now()))
    say(made.id)
    remark(f"Forked after step {last} of {steps}; `picklebot chat` goes on there.")
    for message in [message for _, message in kept if message.role == "assistant"][-1:]:
        remark(f"Last word: {shorten(message.text or ', '.join(call.name for call in message.calls()), _WIDE)}")
    return 0


def _unfinished(turns: Sequence[TurnReport]) -> Said:
    """Return what turns have recorded that have not come into the transcript: open ones, and those set aside."""
    said: list[tuple[int, Message]] = []
    for turn in turns:
        if turn.state not in {"open", "dead"} or turn.opening is None:
            continue
        messages = [turn.opening]
        for step in turn.steps:
            if step.reply.message.blocks:
                messages.append(step.reply.message)
            results: list[ToolResult] = [call.result for call in step.calls if call.result is not None]
            messages = close_calls(messages, results, NO_RESULT)
            if messages[-1].role == "user" and (joined := [j for j in turn.joined if j.step == step.n + 1]):
                blocks = [block for each in joined for block in each.blocks]
                messages[-1] = Message("user", (*messages[-1].blocks, *blocks))
        said += [(turn.seq, message) for message in messages]
    return said


def _upto(whole: Said, step: int) -> Said:
    """Return what was said up to the end of step `step`, with the results of its calls."""
    kept: list[tuple[int, Message]] = []
    seen = 0
    for turn, message in whole:
        seen += message.role == "assistant"
        if seen > step or (message.role == "user" and seen == step and not _answers(message)):
            break
        kept.append((turn, message))
    if seen < step:
        raise NotFound(f"there is no step {step}: the agent has taken {counted(seen, 'step')} in this session")
    return kept


def _closed(said: Said, step: int) -> Said:
    """Return `said` with a last word where it ends in results: it keeps the conversation alternating."""
    if not said or said[-1][1].role == "assistant":
        return said
    words = Message.assistant(f"[This conversation was forked here, after step {step}.]")
    return [*said, (said[-1][0], words)]


def _answers(message: Message) -> bool:
    return any(block.get("type") == "tool_result" for block in message.blocks)
