"""`picklebot sessions replay`: a session is a fold over its durable events, and this folds it again.

Promises that nothing is asked, run, written or sent, and an exit code of 1 where a turn comes out differently.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from picklebot.agent.rerun import Record, rerun
from picklebot.cli.calling import FAILED, OK
from picklebot.cli.output import counted, one_line, print_json, say
from picklebot.cli.reading import reading_something
from picklebot.config import Config
from picklebot.core.events import Outcome
from picklebot.core.journal import CallState, RecordedCall, RecordedStep
from picklebot.core.messages import Block, Message
from picklebot.core.text import shorten
from picklebot.store.reports import TurnReport
from picklebot.store.turn_reports import StepReport

_WIDE = 200
_ENDED = ("done", "failed", "stopped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first place where a turn came out differently: message and block of the turn, counted from 1; 0 is all."""

    event_id: str
    what: str
    message: int = 0
    block: int = 0
    recorded: object = None
    played: object = None


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What a replay has found. `skipped`: turns that cannot be compared, and why."""

    turns: int = 0
    messages: int = 0
    skipped: dict[str, str] = field(default_factory=dict[str, str])
    difference: Difference | None = None


def replay(*, config: Config, session: str, as_json: bool) -> int:
    """Fold a session again; say whether it is identical, or where it first differs."""
    with reading_something(config) as opened:
        found = asyncio.run(opened.sessions.get(session))
        turns = asyncio.run(opened.reports.turns(found.id))
        said = asyncio.run(opened.reports.said(found.id))
    verdict = asyncio.run(_fold(turns, said))
    if as_json:
        print_json(_shape(found.id, verdict))
    else:
        _tell(found.id, verdict)
    return FAILED if verdict.difference else OK


async def _fold(turns: Sequence[TurnReport], said: Sequence[tuple[int, Message]]) -> Verdict:
    verdict = Verdict()
    by_turn: dict[int, list[Message]] = {}
    for seq, message in said:
        by_turn.setdefault(seq, []).append(message)
    known = {turn.seq: turn for turn in turns if turn.outcome is not None}
    for turn in known.values():
        if turn.outcome not in _ENDED or turn.state == "dead":
            verdict.skipped[turn.event.id] = "it has not ended" if turn.state == "open" else "it was set aside"
        elif turn.seq not in by_turn:
            verdict.skipped[turn.event.id] = "it left nothing in the conversation"
    history: list[Message] = []
    for seq, messages in by_turn.items():  # in the order of the conversation, which is that of the turns' ends
        if seq in known:  # what is not was there before: this session is a fork
            verdict.difference = await _compare(known[seq], messages, history, verdict)
        if verdict.difference:
            break
        history += messages
    return verdict


async def _compare(
    turn: TurnReport, messages: Sequence[Message], history: Sequence[Message], verdict: Verdict
) -> Difference | None:
    if turn.outcome == "failed" and turn.steps and len(messages) == 2:
        verdict.skipped[turn.event.id] = f"it ended outside of the loop: {turn.error}"
        return None
    record = Record(
        opening=turn.opening or messages[0],
        steps=[_recorded(step) for step in turn.steps],
        outcome=cast("Outcome", turn.outcome),
        error=turn.error,
        words=messages[-1].text.removeprefix("["),
        joined=_joined(turn),
    )
    ending = await rerun(record, history)
    verdict.turns += 1
    verdict.messages += len(messages)
    if (difference := _first(turn.event.id, messages, ending.messages)) is not None:
        return difference
    if ending.outcome == turn.outcome:
        return None
    return Difference(event_id=turn.event.id, what="outcome", recorded=turn.outcome, played=ending.outcome)


def _joined(turn: TurnReport) -> Mapping[int, Sequence[Block]]:
    blocks: dict[int, list[Block]] = {}
    for joined in turn.joined:
        blocks.setdefault(joined.step or 0, []).extend(joined.blocks)
    return blocks


def _recorded(step: StepReport) -> RecordedStep:
    calls: Mapping[str, RecordedCall] = {
        call.call_id: RecordedCall(
            step=step.n,
            call_id=call.call_id,
            tool=call.tool,
            state=cast("CallState", call.state),
            result=call.result,
        )
        for call in step.calls
    }
    return RecordedStep(n=step.n, reply=step.reply, cost_usd=step.cost_usd, calls=calls)


def _first(event_id: str, recorded: Sequence[Message], played: Sequence[Message]) -> Difference | None:
    for n, (old, new) in enumerate(zip(recorded, played, strict=False), start=1):
        if old.role != new.role:
            return Difference(event_id=event_id, what="role", message=n, recorded=old.role, played=new.role)
        for place in range(max(len(old.blocks), len(new.blocks))):
            before, after = _block(old, place), _block(new, place)
            if before != after:
                return Difference(
                    event_id=event_id, what="block", message=n, block=place + 1, recorded=before, played=after
                )
    if len(recorded) != len(played):
        return Difference(event_id=event_id, what="messages", recorded=len(recorded), played=len(played))
    return None


def _block(message: Message, place: int) -> object:
    # Through JSON, as the transcript was: a tuple and a list are one to it.
    return json.loads(message.to_json())[place] if place < len(message.blocks) else None


def _shape(session_id: str, verdict: Verdict) -> dict[str, object]:
    found = verdict.difference
    return {
        "session_id": session_id,
        "identical": found is None,
        "turns": verdict.turns,
        "messages": verdict.messages,
        "skipped": [{"event_id": event_id, "reason": reason} for event_id, reason in verdict.skipped.items()],
        "difference": None
        if found is None
        else {
            "event_id": found.event_id,
            "what": found.what,
            "message": found.message,
            "block": found.block,
            "recorded": found.recorded,
            "played": found.played,
        },
    }


def _tell(session_id: str, verdict: Verdict) -> None:
    for event_id, reason in verdict.skipped.items():
        say(one_line(f"Skipped {event_id}: {reason}."))
    compared = f"{counted(verdict.turns, 'turn')}, {counted(verdict.messages, 'message')}"
    if (found := verdict.difference) is None:
        say(f"Session {session_id} is identical: {compared}.")
        return
    place = f"message {found.message}, block {found.block}: " if found.message else ""
    say(f"Session {session_id} is different after {compared}: the turn of {found.event_id}, {place}{found.what}")
    for title, value in (("recorded", found.recorded), ("played", found.played)):
        say(one_line(f"  {title}: {shorten(json.dumps(value, ensure_ascii=False), _WIDE)}"))
