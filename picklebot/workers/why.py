"""The causal chain of an event in words: one tree, for a terminal and for a chat.

Promises a line for each thing that happened, with its time, and for what has not happened the reason, as far as the
database knows it. Knows no SQL and no terminal.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from picklebot.core.events import DispatchEvent, Event
from picklebot.core.text import shorten
from picklebot.store.links import Ahead, Chain, Intake, Link
from picklebot.store.turn_reports import CallReport, ReplyReport, StepReport
from picklebot.workers.tree import Branch
from picklebot.workers.why_words import STATES, WIDE, Surroundings, kind, outcome, quoted, routed_by, seconds


def tell(chain: Chain, around: Surroundings) -> Branch:
    """Return a chain in words."""
    return _Teller(chain, around).link(chain.root)


_TOGETHER = {"open": "it is being answered there", "done": "answered there", "failed": "it failed with it"}


class _Teller:
    def __init__(self, chain: Chain, around: Surroundings) -> None:
        self._chain = chain
        self._around = around

    def link(self, link: Link) -> Branch:
        event, asked = link.event, "  <- asked about" if link.event.id == self._chain.asked else ""
        begun = link.intake is not None and link.intake.started_at is not None
        below = list(self._intake(link, link.intake)) if link.intake else []
        if link.reply is not None:
            below += self._delivery(link.reply)
        inside = _tasks(link)
        below += [self.link(effect) for effect in link.effects if effect not in inside.values()]
        if link.intake is not None and not begun and not link.intake.answered_in and link.intake.state == "open":
            below += [Branch(line) for line in self._silence(link.intake)]
        return Branch(f"{kind(event)} {event.id}, {self._around.day(event.created_at)}: {quoted(event)}{asked}", below)

    def _intake(self, link: Link, intake: Intake) -> Iterator[Branch]:
        event = link.event
        yield Branch(f"accepted {self._around.time(event.created_at)} from {event.source}, key {intake.key!r}")
        which = (
            f"its first message, {routed_by(self._around.routing, event.source, intake.agent_id)}"
            if intake.place == 1
            else f"message {intake.place} of it"
        )
        if isinstance(event, DispatchEvent):
            yield Branch(f"given to {intake.agent_id} in session {event.session_id}")
        else:
            yield Branch(f"routed to {intake.agent_id} in session {event.session_id} ({which})")
        if intake.started_at is None:
            if intake.answered_in is not None:
                yield Branch(f"joined the turn of {intake.answered_in}: {_TOGETHER[intake.state]}")
            elif intake.state == "done":
                yield Branch("a command: answered at once, without a turn")
            elif intake.state != "open":
                yield Branch(f"{STATES[intake.state]}: {intake.error}")
            return
        yield self._wait(event, intake.started_at, intake.ahead)
        yield self._turn(intake, intake.started_at, _tasks(link))
        if intake.outcome == "parked" or intake.state != "open":
            yield self._end(intake, intake.started_at)

    def _wait(self, event: Event, started: datetime, ahead: Ahead | None) -> Branch:
        waited = seconds(started - event.created_at)
        behind = f' behind {ahead.id} "{ahead.content}"' if ahead else ""
        return Branch(f"waited {waited}{behind}")

    def _turn(self, intake: Intake, started: datetime, tasks: Mapping[str, Link]) -> Branch:
        attempts = f", begun {intake.attempts} times" if intake.attempts > 1 else ""
        below: list[Branch] = []
        before = started
        for step in intake.steps:
            below.append(self._step(step, before, tasks))
            before = max([step.at, *(call.finished_at for call in step.calls if call.finished_at)])
        if intake.state == "open" and intake.outcome == "running":
            below.append(Branch(self._doing(intake)))
        return Branch(f"turn begun {self._around.time(started)}{attempts}", below)

    def _doing(self, intake: Intake) -> str:
        if not self._around.runs:
            return "nothing runs here: it goes on from here when picklebot is started"
        unfinished = [call.tool for step in intake.steps for call in step.calls if call.result is None]
        return f"now: runs {', '.join(unfinished)}" if unfinished else "now: waits for the model's answer"

    def _step(self, step: StepReport, before: datetime, tasks: Mapping[str, Link]) -> Branch:
        usage, cost = step.reply.usage, _cost([step.cost_usd])
        said = f': "{shorten(step.reply.message.text, WIDE)}"' if step.reply.message.text else ""
        return Branch(
            f"step {step.n + 1}: {step.reply.model or 'a model'}, {usage.context_tokens:,} tokens in, "
            f"{usage.output_tokens:,} out, {cost}, {seconds(step.at - before)}, {step.reply.stop_reason}{said}",
            [
                Branch(
                    self._call(call), [self.link(tasks[key])] if (key := f"{step.n}:{call.call_id}") in tasks else []
                )
                for call in step.calls
            ],
        )

    def _call(self, call: CallReport) -> str:
        given = shorten(", ".join(f"{key}={value!r}" for key, value in dict(call.input).items()), WIDE)
        head = f"{call.tool}({given}), {call.effect}: {call.state}"
        if call.finished_at is None:
            since = call.started_at or call.planned_at
            return f"{head} since {self._around.time(since)}, no result yet"
        took = seconds(call.finished_at - (call.started_at or call.planned_at))
        return f"{head} in {took}, {self._around.time(call.finished_at)}: {outcome(call.result)}"

    def _end(self, intake: Intake, started: datetime) -> Branch:
        error = f": {intake.error}" if intake.error else ""
        if intake.outcome == "parked" and intake.not_before:
            left = seconds(intake.not_before - self._around.now)
            return Branch(
                f"parked until {self._around.time(intake.not_before)}, {left} from now: "
                f"{intake.error or 'its model asked for that'}"
            )
        if intake.state == "dead":
            return Branch(f"set aside{error}; `picklebot events retry` lets it go on")
        if intake.finished_at is None:
            return Branch(f"{STATES[intake.state]}{error}")
        by = f"{intake.answered_in}, whose reply answers both" if intake.interrupted else "its user"
        ended = f"stopped by {by}" if intake.outcome == "stopped" else STATES[intake.state]
        took, cost = seconds(intake.finished_at - started), _cost([step.cost_usd for step in intake.steps])
        return Branch(f"turn {ended} {self._around.time(intake.finished_at)}, {took} after it began, {cost}{error}")

    def _silence(self, intake: Intake) -> Iterator[str]:
        """Say why nothing has happened yet."""
        if not self._around.runs:
            yield "not begun: nothing runs here; `picklebot server` or `picklebot chat` begins it"
        elif (ahead := intake.ahead) is not None:
            more = f" and {ahead.more} more" if ahead.more else ""
            state = "which is being answered" if ahead.state == "running" else f"which is {ahead.state or 'not begun'}"
            yield f'not begun: waits behind {ahead.id} "{ahead.content}", {state}{more}'
        elif intake.not_before and intake.not_before > self._around.now:
            yield f"not begun: put off until {self._around.time(intake.not_before)}"
        else:
            yield "not begun: nothing is before it in its session"
        yield self._room(intake.agent_id)

    def _room(self, agent_id: str) -> str:
        running, slots = self._chain.running.get(agent_id, 0), self._around.slots(agent_id)
        of_agent = f"{running} of {slots} slots" if slots is not None else f"{running} slots (its file is gone)"
        everyone = sum(self._chain.running.values())
        of_all = f"{everyone} of {self._around.ceiling}" if self._around.ceiling else f"{everyone}"
        return f"turns in hand: {of_agent} of {agent_id}, {of_all} of the daemon"

    def _delivery(self, reply: ReplyReport) -> Iterator[Branch]:
        tries = f"{reply.attempts} attempt{'' if reply.attempts == 1 else 's'}"
        maybe = "; an attempt was cut short and may have arrived" if reply.unknown else ""
        match reply.state:
            case "acked":
                at = f" {self._around.time(reply.settled_at)}" if reply.settled_at else ""
                yield Branch(f"delivered{at} to {reply.event.to}, {tries}, receipt {reply.receipt!r}{maybe}")
            case "sending":
                now = "being sent" if self._around.runs else "was being sent when picklebot ended"
                yield Branch(f"{now} to {reply.event.to}, {tries}{maybe}")
            case "pending":
                due = reply.not_before if reply.not_before and reply.not_before > self._around.now else None
                when = f"next attempt {self._around.time(due)}" if due else "due now"
                held = "" if self._around.runs else "; nothing runs here that could send it"
                yield Branch(f"not delivered yet to {reply.event.to}, {tries}, {when}{maybe}{held}")
            case _:
                fate = "dropped by hand" if reply.state == "dropped" else "set aside"
                yield Branch(f"{fate}, not delivered to {reply.event.to}, {tries}{maybe}")
        if reply.error:
            yield Branch(f"last error: {shorten(reply.error, 2 * WIDE)}")


def _tasks(link: Link) -> Mapping[str, Link]:
    """Return the tasks that were given in calls of this turn, by "step:call"."""
    calls = {f"{step.n}:{call.call_id}" for step in (link.intake.steps if link.intake else ()) for call in step.calls}
    found = {
        effect.event.tool_call_id.partition(":")[2]: effect
        for effect in link.effects
        if isinstance(effect.event, DispatchEvent)
    }
    return {key: task for key, task in found.items() if key in calls}


def _cost(costs: Sequence[float | None]) -> str:
    known = [cost for cost in costs if cost is not None]
    return f"${sum(known):.4f}" if known or not costs else "no known price"
