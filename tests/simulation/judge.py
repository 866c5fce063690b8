"""Judges a story by its end: what the outside saw against what the database says.

Promises to name each message that was lost, answered twice or out of order, and each effect that was repeated. Needs a
story that came to rest: "not yet" is not "lost".
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator

from tests.power import judge
from tests.simulation.outside import WAITING, Outside, answer

_ASKED = """SELECT inbox.seq, inbox.key, events.id, inbox.session_id, inbox.state, turns.state,
    json_extract(body, '$.content') FROM inbox JOIN events USING (seq) LEFT JOIN turns USING (seq) ORDER BY inbox.seq"""
_REPLIES = """SELECT outbox.seq, events.id, events.cause_id, outbox.peer, outbox.state, attempts,
    json_extract(body, '$.content') FROM outbox JOIN events USING (seq) ORDER BY outbox.seq"""
_ANSWERED = """SELECT cause_id, json_extract(body, '$.content') FROM outbox JOIN events USING (seq) UNION ALL
    SELECT value, json_extract(body, '$.content') FROM outbox JOIN events USING (seq), json_each(body, '$.also')"""
# Each turn that came to its own end, and what it was asked: by its own message, and by those that joined it.
_TOGETHER = """SELECT turns.seq, turns.state, json_extract(body, '$.content') FROM turns JOIN events
    ON events.seq = turns.seq OR events.seq IN (SELECT seq FROM joined WHERE turn = turns.seq AND step IS NOT NULL)
    ORDER BY turns.seq, events.seq"""
_LATER = """WITH RECURSIVE up (first, seq) AS (SELECT seq, turn FROM joined
        UNION SELECT first, turn FROM up JOIN joined USING (seq))
    SELECT first, max(seq) FROM up GROUP BY first"""
_CALLS = """SELECT events.id || ':' || step || ':' || call_id, tool, calls.state
    FROM calls JOIN events ON events.seq = calls.turn"""


def complaints(connection: sqlite3.Connection, outside: Outside) -> Iterator[str]:
    """Find whatever breaks a promise."""
    yield from outside.problems
    yield from judge.complaints(connection)
    yield from _acceptance(connection, outside)
    yield from _answers(connection)
    yield from _order(connection)
    yield from _deliveries(connection, outside)
    yield from _effects(connection, outside)


def _acceptance(connection: sqlite3.Connection, outside: Outside) -> Iterator[str]:
    on_disk = {key: event_id for _, key, event_id, *_ in connection.execute(_ASKED)}
    if on_disk != outside.accepted:
        yield f"the platform heard of {sorted(outside.accepted)} and the disk has {sorted(on_disk)}"
    for state, count in connection.execute("SELECT state, count(*) FROM inbox GROUP BY state"):
        if state == "open":
            yield f"{count} messages are still open"


def _answers(connection: sqlite3.Connection) -> Iterator[str]:
    replies: dict[str, list[str]] = {}
    for event_id, content in connection.execute(_ANSWERED):
        replies.setdefault(event_id, []).append(content)
    asked: dict[int, list[str]] = {}
    states: dict[int, str] = {}
    for turn, state, content in connection.execute(_TOGETHER):
        asked.setdefault(turn, []).append(content)
        states[turn] = state
    later = dict(connection.execute(_LATER))
    for seq, key, event_id, *_ in connection.execute(_ASKED):
        found = replies.get(event_id, [])
        turn = later.get(seq, seq)  # its own, the one that took it in, or the one that interrupted it
        notices = [words for words in found if words.startswith(WAITING)]
        if len(found) - len(notices) != 1:
            yield f"{key} has the answers {found}"
        elif len(notices) > 1:
            yield f"{key} was told {len(notices)} times to wait"
        elif states.get(turn) == "done" and found[-1] != answer(*asked[turn]):
            yield f"{key} was answered with {found[-1]!r}"


def _order(connection: sqlite3.Connection) -> Iterator[str]:
    asked = {event_id: seq for seq, _, event_id, *_ in connection.execute(_ASKED)}
    commands = {event_id for _, _, event_id, _, _, turn, _ in connection.execute(_ASKED) if turn is None}
    last: dict[str, int] = {}
    for _, _, cause, peer, _, _, content in connection.execute(_REPLIES):
        if cause in commands or content.startswith(WAITING):
            continue  # neither waits for its turn
        if asked[cause] < last.get(peer, 0):
            yield f"{peer} asked {cause} before the message that was answered before it"
        last[peer] = asked[cause]
    questions = connection.execute(
        """SELECT session_id, json_extract(value, '$.text') FROM transcript, json_each(blocks)
        WHERE role = 'user' AND json_extract(value, '$.text') LIKE 'Q %' ORDER BY session_id, n, json_each.id"""
    ).fetchall()
    played = connection.execute(
        """SELECT inbox.session_id, json_extract(body, '$.content') FROM inbox JOIN events USING (seq)
        WHERE inbox.state != 'dead' AND (seq IN (SELECT seq FROM turns) OR seq IN (SELECT seq FROM joined))
        ORDER BY inbox.session_id, seq"""
    ).fetchall()
    if questions != played:
        yield f"the transcripts have {questions} and the turns {played}"


def _deliveries(connection: sqlite3.Connection, outside: Outside) -> Iterator[str]:
    heard = Counter(key for _, key, _ in outside.heard)
    places = {key: place for place, (_, key, _) in reversed(list(enumerate(outside.heard)))}
    last: dict[str, int] = {}
    for seq, key, _, peer, state, attempts, _ in connection.execute(_REPLIES):
        if state not in {"acked", "dead"}:
            yield f"reply {seq} is still {state}"
        if state == "acked" and not heard[key]:
            yield f"reply {seq} is acknowledged and never arrived"
        if heard[key] > attempts:
            yield f"reply {seq} arrived {heard[key]} times and was sent {attempts} times"
        if key in places:
            if places[key] < last.get(peer, -1):
                yield f"reply {seq} overtook another one to {peer}"
            last[peer] = places[key]
    if unknown := set(heard) - {row[1] for row in connection.execute(_REPLIES)}:
        yield f"the platform heard what the disk does not know: {unknown}"


def _effects(connection: sqlite3.Connection, outside: Outside) -> Iterator[str]:
    calls = {(tool, key): state for key, tool, state in connection.execute(_CALLS)}
    for effect, count in Counter(outside.effects).items():
        if count > 1:
            yield f"the effect {effect} happened {count} times"
        if calls.get(effect, "planned") == "planned":
            yield f"the effect {effect} was not written down before"
    for (tool, key), state in calls.items():
        if state == "done" and tool != "look" and (tool, key) not in outside.effects:
            yield f"{tool} {key} is said to be done and was not"
