"""What each promise looks like when it is broken: one function for each, from evidence to faults.

A fault is a verdict and the words that go with it. Knows only what an outsider can see.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from tests.crash.evidence import Evidence, Records
from tests.crash.model import TOOLS, Wish

Faults: TypeAlias = Iterator[tuple[str, str]]
Check: TypeAlias = Callable[[Evidence, Records], Faults]
KILLED, ASKED_TO_STOP = -9, {0, -15}
_UNSENT = {"pending", "sending"}


def _lost(evidence: Evidence, records: Records) -> Faults:
    there = {row.key: row.id for row in records.received}
    for key, event_id in {(e.key, e.event_id): None for e in evidence.platform if e.kind == "accepted"}:
        if key not in there:
            yield "lost", f"{key} was accepted as {event_id}"
        elif there[key] != event_id:
            yield "renamed", f"{key} was accepted as {event_id} and is {there[key]}"


def _not_yet(evidence: Evidence, records: Records) -> Faults:
    accepted = {entry.key for entry in evidence.platform if entry.kind == "accepted"}
    for key in {entry.key for entry in evidence.platform if entry.kind == "offered"} - accepted:
        yield "not yet", f"{key} was offered and never accepted"
    yield from (("not yet", f"{row.key} is open") for row in records.received if row.state == "open")
    yield from (("not yet", f"reply {row.id} is {row.state}") for row in records.sent if row.state in _UNSENT)


def _ledger(evidence: Evidence, records: Records) -> Faults:
    states = Counter(row.state for row in records.received)
    accepted = records.counts.get("InboundEvent", 0)
    if accepted != sum(states[state] for state in ("done", "failed", "dead", "open")):
        yield "ledger", f"{accepted} accepted, {dict(states)}"
    if records.counts.get("OutboundEvent", 0) != len(records.sent):
        yield (
            "ledger",
            f"{records.counts.get('OutboundEvent', 0)} replies in the log, {len(records.sent)} in the outbox",
        )


def _integrity(evidence: Evidence, records: Records) -> Faults:
    yield from (("integrity", words) for words in records.damage)


def _died(evidence: Evidence, records: Records) -> Faults:
    for status, lives in evidence.ends.items():
        if status != KILLED and status not in ASKED_TO_STOP:
            yield "died", f"{lives} lives ended with status {status}"


def _duplicates(evidence: Evidence, records: Records) -> Faults:
    answers = Counter(row.cause for row in records.sent)
    openings = Counter(_names_opened(records))
    shown = Counter(entry.content.split()[1] for entry in evidence.platform if _is_answer(entry.kind, entry.content))
    ended = Counter(row.session for row in records.received if row.state in {"done", "failed"})
    for row in records.received:
        name = Wish.parse(row.content).name
        for what, count in (("replies", answers[row.id]), ("openings", openings[name]), ("answers", shown[name])):
            if count > 1:
                yield "duplicate turn", f"{name} has {count} {what}"
    for session, turns in ended.items():
        counted = records.counts.get(f"session {session}", 0)
        if counted != turns:
            yield "duplicate turn", f"session {session} counts {counted} turns for {turns} messages"


def _effects(evidence: Evidence, records: Records) -> Faults:
    runs = Counter((effect.tool, effect.item) for effect in evidence.ledger)
    for (tool, item), count in runs.items():
        if tool in {"pay", "put"} and count > 1:
            yield "double once", f"{tool} {item} was done {count} times"
    keys: dict[str, set[str]] = defaultdict(set)
    for effect in evidence.ledger:
        if effect.tool == "post":
            keys[effect.item].add(effect.key)
    yield from (("key changed", f"post {item}: {sorted(used)}") for item, used in keys.items() if len(used) > 1)


def _truth(evidence: Evidence, records: Records) -> Faults:
    """What an answer says of its calls is borne out: ok is in the ledger, and unknown is said of `once` alone."""
    done = {(effect.tool, effect.item) for effect in evidence.ledger}
    wishes = {wish.name: wish for wish in (Wish.parse(row.content) for row in records.received)}
    for row in records.sent:
        if not row.content.startswith("done "):
            continue
        _, name, *said = row.content.split()
        expected = _items(wishes[name])
        if [told.partition("=")[0] for told in said] != list(expected):
            yield "untrue", f"the answer to {name} tells of {said}"
        for told in said:
            item, _, word = told.partition("=")
            tool = expected.get(item, "no tool")
            undone = tool in TOOLS and (tool, item) not in done
            if word == "error" or (word == "ok" and undone) or (word == "unknown" and tool != "pay"):
                yield "untrue", f"{tool} {item} was told to be {word}"


def _redone(evidence: Evidence, records: Records) -> Faults:
    """Each life may repeat one call of the model for a message: the one whose answer the last life did not record."""
    asked = Counter((entry.life, entry.name, entry.step) for entry in evidence.asked)
    steps: dict[str, set[int]] = defaultdict(set)
    lives: dict[str, set[str]] = defaultdict(set)
    total: Counter[str] = Counter()
    for (life, name, step), count in asked.items():
        steps[name].add(step)
        lives[name].add(life)
        total[name] += count
        if count > 1:
            yield "redone", f"step {step} of {name} was asked for {count} times in one life"
    for name, count in total.items():
        if count > len(steps[name]) + len(lives[name]) - 1:
            yield "redone", f"{name}: {count} calls for {len(steps[name])} steps in {len(lives[name])} lives"


def _order(evidence: Evidence, records: Records) -> Faults:
    refused = {entry.key for entry in evidence.platform if entry.kind == "refused"}
    offered = dict.fromkeys(e.key for e in evidence.platform if e.kind == "offered" and e.key not in refused)
    place = {key: n for n, key in enumerate(offered)}
    accepted = [(row.source, place[row.key], row.key) for row in records.received if row.key in place]
    yield from _out_of_order("accepted", accepted)
    yield from _out_of_order("said", [(line.session, line.turn, f"turn {line.turn}") for line in records.said])
    seqs = {row.id: row.seq for row in records.received}
    causes = {row.id: seqs[row.cause] for row in records.sent}
    yield from _out_of_order("answered", [(row.peer, seqs[row.cause], row.id) for row in records.sent])
    shown = [e for e in evidence.platform if e.kind == "reply" and e.key in causes]
    yield from _out_of_order("shown", [(e.peer, causes[e.key], e.key) for e in shown])


def _out_of_order(what: str, entries: Sequence[tuple[str, int, str]]) -> Faults:
    """Find where a number is smaller than the one before it of the same owner."""
    last: dict[str, int] = {}
    for owner, number, words in entries:
        if number < last.get(owner, number):
            yield "order", f"{words} of {owner} was {what} too late"
        last[owner] = number


def _replies(evidence: Evidence, records: Records) -> Faults:
    shown = {entry.key for entry in evidence.platform if entry.kind == "reply"}
    rejected = {entry.key for entry in evidence.platform if entry.kind == "rejected"}
    tries = Counter(e.key for e in evidence.platform if e.kind in {"reply", "repeat", "rejected", "turned away"})
    answered = {row.cause for row in records.sent}
    for message in records.received:
        if message.state in {"done", "failed"} and message.id not in answered:
            yield "reply lost", f"{message.key} is {message.state} and has no reply"
    for row in records.sent:
        if row.state == "acked" and row.id not in shown:
            yield "reply lost", f"{row.id} is acked and was never received"
        if row.state == "dead" and row.id not in rejected:
            yield "reply lost", f"{row.id} was given up and never rejected"
        if tries[row.id] > row.attempts:
            yield "resent", f"{row.id} arrived {tries[row.id]} times in {row.attempts} attempts"


def _failed(evidence: Evidence, records: Records) -> Faults:
    told = {row.cause for row in records.sent}
    for row in records.received:
        if row.state == "failed":
            yield "failed", f"{row.key}: {[sent.content for sent in records.sent if sent.cause == row.id]}"
        if row.state == "dead" and row.id not in told:
            yield "untold", f"{row.key} was set aside after {row.attempts} attempts"


def _items(wish: Wish) -> dict[str, str]:
    return {wish.item(step, n): call["name"] for step in range(wish.steps) for n, call in enumerate(wish.calls(step))}


def _names_opened(records: Records) -> Iterator[str]:
    for line in records.said:
        blocks = json.loads(line.blocks)
        if line.role == "user" and blocks[0]["type"] == "text":
            yield Wish.parse(blocks[-1]["text"]).name


def _is_answer(kind: str, content: str) -> bool:
    return kind == "reply" and content.startswith("done ")


CHECKS: Sequence[Check] = (
    *(_lost, _not_yet, _duplicates, _effects, _truth, _redone, _order),
    *(_replies, _failed, _ledger, _integrity, _died),
)
