"""Values as the JSON that other programs read (docs/cli.md): events, sessions, spend, whole turns.

Promises that names and shapes stay as they are; fields may join them. Knows no store and no terminal.
"""

from datetime import datetime
from typing import Any, cast

from picklebot.core.events import Event
from picklebot.core.people import Knock
from picklebot.core.proposals import Proposal
from picklebot.core.replies import Usage
from picklebot.core.rights import Rights
from picklebot.core.source import Source
from picklebot.jobs.task import Task
from picklebot.jobs.timing import next_instant
from picklebot.store.base import CompactionReport, InstantReport, Session, Spend
from picklebot.store.letters import Letter
from picklebot.store.links import Intake, Link
from picklebot.store.reports import TurnReport
from picklebot.store.turn_reports import CallReport, ReplyReport, StepReport


def event_json(event: Event) -> dict[str, Any]:
    """Return an event or a notice, its kind first."""
    fields = {name: _plain(getattr(event, name)) for name in event.__dataclass_fields__}
    return {"type": type(event).__name__, **fields}


def session_json(session: Session) -> dict[str, Any]:
    """Return a session."""
    return {
        "id": session.id,
        "agent": session.agent_id,
        "source": str(session.source),
        "title": session.title,
        "created_at": session.created_at.isoformat(),
        "updated_at": session.updated_at.isoformat(),
        "turns": session.turns,
    }


def usage_json(usage: Usage) -> dict[str, int]:
    """Return tokens."""
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
    }


def compaction_json(report: CompactionReport) -> dict[str, Any]:
    """Return what is shown of a conversation from then on: the record of what is not, and where the rest begins."""
    compaction, digest = report.compaction, report.compaction.digest
    return {
        "at": report.at.isoformat(),
        "why": report.why,
        "state": report.state,
        "messages_before": compaction.before,
        "messages_within": compaction.within,
        "trimmed_results": sorted(compaction.trimmed),
        "summary": digest.summary if digest else None,
        "said": list(digest.said) if digest else [],
        "names": list(digest.names) if digest else [],
    }


def spend_json(spend: Spend) -> dict[str, Any]:
    """Return what was used under one heading."""
    return {
        "key": spend.key,
        "calls": spend.calls,
        **usage_json(spend.usage),
        "cached_share": round(spend.cached_share, 4),
        "cost_usd": spend.cost_usd,
        "unpriced": spend.unpriced,
    }


def turn_json(turn: TurnReport) -> dict[str, Any]:
    """Return a turn with everything that came of it; the replay model answers from its steps."""
    return {
        "event": event_json(turn.event),
        "state": turn.state,
        "outcome": turn.outcome,
        "attempts": turn.attempts,
        "error": turn.error,
        "answered_in": turn.answered_in,
        "joined": [{"step": each.step, "event_id": each.event.id} for each in turn.joined],
        "opening": list(turn.opening.blocks) if turn.opening else [],
        "steps": [step_json(step) for step in turn.steps],
        "outbound": [reply_json(reply) for reply in turn.outbound],
    }


def step_json(step: StepReport) -> dict[str, Any]:
    """Return a model call and the tool calls it asked for."""
    return {
        "n": step.n,
        "reply": step.reply.message.wire(),
        "stop_reason": step.reply.stop_reason,
        "model": step.reply.model,
        "request_id": step.reply.request_id,
        "usage": usage_json(step.reply.usage),
        "cost_usd": step.cost_usd,
        "at": step.at.isoformat(),
        "calls": [_call_json(call) for call in step.calls],
    }


def _call_json(call: CallReport) -> dict[str, Any]:
    result = call.result
    return {
        "call_id": call.call_id,
        "tool": call.tool,
        "effect": call.effect,
        "input": call.input,
        "state": call.state,
        "result": None if result is None else {"content": result.content, "is_error": result.is_error},
        "started_at": _plain(call.started_at),
        "finished_at": _plain(call.finished_at),
    }


def reply_json(reply: ReplyReport) -> dict[str, Any]:
    """Return a reply and how its delivery stands."""
    return {
        "id": reply.event.id,
        "to": str(reply.event.to),
        "content": reply.event.content,
        "created_at": reply.event.created_at.isoformat(),
        "state": reply.state,
        "attempts": reply.attempts,
        "unknown": reply.unknown,
        "not_before": _plain(reply.not_before),
        "settled_at": _plain(reply.settled_at),
        "receipt": reply.receipt,
        "error": reply.error,
    }


def proposal_json(proposal: Proposal) -> dict[str, Any]:
    """Return a proposal for programs, without its contents."""
    return {
        "id": proposal.id,
        "kind": proposal.kind,
        "about": proposal.about,
        "title": proposal.title,
        "state": proposal.state,
        "source": str(proposal.source),
        "session_id": proposal.session_id,
        "created_at": proposal.created_at.isoformat(),
        "expires_at": proposal.expires_at.isoformat(),
        "settled_by": str(proposal.settled_by) if proposal.settled_by else None,
        "settled_at": proposal.settled_at.isoformat() if proposal.settled_at else None,
        "outcome": proposal.outcome,
        "digest": proposal.digest,
    }


def knock_json(knock: Knock) -> dict[str, Any]:
    """Return a stranger who waits to be let in."""
    return {
        "channel": knock.channel,
        "person": knock.person,
        "name": knock.name,
        "code": knock.code,
        "at": knock.at.isoformat(),
        "expires_at": knock.expires_at.isoformat(),
    }


def letter_json(letter: Letter) -> dict[str, Any]:
    """Return something that was set aside."""
    return {
        "id": letter.event.id,
        "kind": letter.kind,
        "source": str(letter.event.source),
        "session_id": letter.event.session_id,
        "created_at": letter.event.created_at.isoformat(),
        "attempts": letter.attempts,
        "error": letter.error,
        "content": letter.content,
    }


def instant_json(instant: InstantReport) -> dict[str, Any]:
    """Return what became of an instant of a job."""
    return {
        "instant": instant.wall,
        "state": instant.verdict,
        "reason": instant.reason,
        "event_id": instant.event_id,
        "at": instant.at.isoformat(),
        "open": instant.open,
    }


def task_json(task: Task, now: datetime) -> dict[str, Any]:
    """Return a job made in conversation, and when it is next."""
    timing = task.timing
    live = task.state in {"active", "waiting"}
    following = next_instant(timing, after=now) if live else None
    return {
        "id": str(task.id),
        "state": "waiting for consent" if task.state == "waiting" else task.state,
        "prompt": task.prompt,
        "agent": task.agent_id,
        "session_id": task.session_id,
        "deliver": task.place,
        "schedule": timing.cron,
        "every": timing.every,
        "at": timing.at.astimezone(timing.zone).isoformat() if timing.at is not None else None,
        "timezone": str(timing.zone),
        "next": following.at.astimezone(timing.zone).isoformat() if following is not None else None,
        "created_at": task.created_at.isoformat(),
        "note": task.note,
    }


def link_json(link: Link) -> dict[str, Any]:
    """Return an event, what became of it, and what followed from it."""
    shape: dict[str, Any] = {"seq": link.seq, "event": event_json(link.event)}
    if link.intake is not None:
        shape["turn"] = _intake_json(link.intake)
    if link.reply is not None:
        shape["delivery"] = reply_json(link.reply)
    return {**shape, "effects": [link_json(effect) for effect in link.effects]}


def _intake_json(intake: Intake) -> dict[str, Any]:
    moments = ("not_before", "started_at", "finished_at")
    ahead = intake.ahead
    return {
        "state": intake.state,
        "outcome": intake.outcome,
        "agent": intake.agent_id,
        "place": intake.place,
        "attempts": intake.attempts,
        "error": intake.error,
        **{name: moment.isoformat() if (moment := getattr(intake, name)) else None for name in moments},
        "behind": ahead and {"id": ahead.id, "state": ahead.state, "more": ahead.more},
        "answered_in": intake.answered_in,
        "steps": [step_json(step) for step in intake.steps],
    }


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case Source():
            return str(value)
        case Rights():
            return value.to_json()
        case frozenset():
            return sorted(cast("frozenset[str]", value))
        case _:
            return value
