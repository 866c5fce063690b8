"""Why an event is what it is: the events that led to it, and everything that came of them, as one tree.

Reads only, so it may be asked for beside a running daemon. Promises to end also where causes run in a circle. Knows no
format of output, and of the daemon only what it has written down.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from picklebot.core.events import Event
from picklebot.core.source import Source
from picklebot.core.text import shorten
from picklebot.errors import NotFound
from picklebot.store.codec import EVENT_COLUMNS, decode_event, to_micros
from picklebot.store.database import Database, Row
from picklebot.store.links import Ahead, Chain, Intake, Link
from picklebot.store.turn_reports import REPLY_COLUMNS, ReplyReport, StepReport, decode_reply, moment, read_steps

MAX_DEPTH = 64  #: causes that are followed upwards
MAX_LINKS = 300  #: events in one tree
_SUMMARY = 60  #: characters of a message that is only mentioned

_MINE = "AND session_id IN (SELECT id FROM sessions WHERE source = ?)"
_UP = """WITH RECURSIVE up (id, cause_id, depth) AS (
        SELECT id, cause_id, 0 FROM events WHERE id = ?
        UNION SELECT e.id, e.cause_id, depth + 1 FROM events AS e JOIN up ON e.id = up.cause_id WHERE depth < ? {mine})
    SELECT id FROM up ORDER BY depth DESC LIMIT 1"""
_DOWN = f"""WITH RECURSIVE down (seq, id) AS (
        SELECT seq, id FROM events WHERE id = ?
        UNION SELECT e.seq, e.id FROM events AS e JOIN down ON e.cause_id = down.id LIMIT ?)
    SELECT {EVENT_COLUMNS} FROM events WHERE seq IN (SELECT seq FROM down) ORDER BY seq"""  # noqa: S608  (constants)
_THESE = "SELECT value FROM json_each(?)"
_INTAKES = f"""SELECT seq, inbox.state, turns.state, agent_id, key, attempts, error, not_before, started_at, finished_at,
        (SELECT id FROM joined JOIN events ON events.seq = joined.turn WHERE joined.seq = inbox.seq), session_id FROM inbox LEFT JOIN turns USING (seq) WHERE seq IN ({_THESE})"""  # noqa: S608  (constants)
_REPLIES = f"""SELECT {REPLY_COLUMNS} FROM outbox JOIN events USING (seq)
    WHERE seq IN ({_THESE})"""  # noqa: S608  (constants)
_PLACE = "SELECT count(*) FROM session_events AS events JOIN inbox USING (seq) WHERE events.session_id = ? AND seq <= ?"
_OPEN_AHEAD = """SELECT events.id, json_extract(body, '$.content'), turns.state, NULL FROM inbox JOIN events USING (seq)
    LEFT JOIN turns USING (seq) WHERE inbox.session_id = ? AND inbox.state = 'open' AND seq < ? ORDER BY seq"""
_WAS_AHEAD = """SELECT events.id, json_extract(body, '$.content'), turns.state, finished_at
    FROM session_events AS events JOIN turns USING (seq)
    WHERE events.session_id = ? AND seq < ? AND finished_at > ? AND finished_at <= ? ORDER BY finished_at DESC LIMIT 1"""
_RUNNING = """SELECT agent_id, count(*) FROM turns JOIN inbox USING (seq) WHERE turns.state = 'running'
    AND inbox.state = 'open' GROUP BY agent_id"""
_LATEST = """SELECT max((SELECT seq FROM session_events AS events JOIN inbox USING (seq) LEFT JOIN turns USING (seq)
        WHERE events.session_id = sessions.id AND events.source = ?1 AND (inbox.state = 'open' OR turns.seq IS NOT NULL)
        ORDER BY seq DESC LIMIT 1))
    FROM sessions WHERE sessions.source = ?1"""


class SqliteChains:
    """Reads only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def chain(self, event_id: str, *, of: Source | None = None) -> Chain:
        """Return the tree that an event is part of; a unique beginning of its id will do."""
        mine, whose = ("", ()) if of is None else (_MINE, (str(of),))
        found = await self._database.fetch(
            f"SELECT id FROM events WHERE id >= ? AND id < ? {mine} ORDER BY id LIMIT 2",  # noqa: S608  (constants)
            (event_id, event_id + "\x7f", *whose),
        )
        if len(found) != 1 or not event_id:
            raise NotFound(_unknown(event_id, several=len(found) > 1, here=of is not None))
        asked: str = found[0][0]
        up = _UP.format(mine=mine.replace("session_id", "e.session_id"))
        [[root]] = await self._database.fetch(up, (asked, MAX_DEPTH, *whose))
        logged = await self._below(root)
        if all(event.id != asked for _, event in logged):  # a tree too large to be shown whole
            root, logged = asked, await self._below(asked)
        return Chain(
            root=_grow(root, logged, await self._intakes(logged), await self._replies(logged)),
            asked=asked,
            running=dict(await self._database.fetch(_RUNNING)),
        )

    async def latest(self, source: Source) -> str | None:
        """Return the id of the last message from `source` that a turn was or will be begun for."""
        rows = await self._database.fetch(f"SELECT id FROM events WHERE seq = ({_LATEST})", (str(source),))  # noqa: S608
        return rows[0][0] if rows else None

    async def _below(self, event_id: str) -> list[tuple[int, Event]]:
        return [decode_event(row) for row in await self._database.fetch(_DOWN, (event_id, MAX_LINKS))]

    async def _replies(self, logged: Sequence[tuple[int, Event]]) -> Mapping[int, ReplyReport]:
        these = json.dumps([seq for seq, _ in logged])
        replies = [decode_reply(row) for row in await self._database.fetch(_REPLIES, (these,))]
        return {reply.seq: reply for reply in replies}

    async def _intakes(self, logged: Sequence[tuple[int, Event]]) -> Mapping[int, Intake]:
        these = json.dumps([seq for seq, _ in logged])
        steps = await read_steps(self._database, _THESE, (these,))
        accepted = {seq: event.created_at for seq, event in logged}
        return {
            row[0]: await self._intake(row, accepted[row[0]], steps.get(row[0], []))
            for row in await self._database.fetch(_INTAKES, (these,))
        }

    async def _intake(self, row: Row, accepted: datetime, steps: Sequence[StepReport]) -> Intake:
        seq, state, outcome, agent_id, key, attempts, error, not_before, started_at, finished_at, *rest = row
        answered_in, session_id = rest
        place = await self._database.fetch(_PLACE, (session_id, seq))
        return Intake(
            state=state,
            outcome=outcome,
            agent_id=agent_id,
            key=key,
            place=place[0][0],
            attempts=attempts,
            error=error,
            not_before=moment(not_before or None),
            started_at=moment(started_at),
            finished_at=moment(finished_at),
            ahead=await self._ahead(row, accepted),
            steps=steps,
            answered_in=answered_in,
            interrupted=answered_in is not None and started_at is not None,
        )

    async def _ahead(self, row: Row, accepted: datetime) -> Ahead | None:
        seq, state, *_, started_at, _, answered_in, session_id = row
        if answered_in is not None and started_at is None:
            return None
        if started_at is not None:
            rows = await self._database.fetch(_WAS_AHEAD, (session_id, seq, to_micros(accepted), started_at))
        elif state == "open":
            rows = await self._database.fetch(_OPEN_AHEAD, (session_id, seq))
        else:
            return None
        if not rows:
            return None
        event_id, content, turn, ended_at = rows[0]
        words = shorten(str(content), _SUMMARY)
        return Ahead(id=event_id, content=words, state=turn, ended_at=moment(ended_at), more=len(rows) - 1)


def _grow(
    root: str, logged: Sequence[tuple[int, Event]], intakes: Mapping[int, Intake], replies: Mapping[int, ReplyReport]
) -> Link:
    """Put the events together as a tree; one whose cause is not among them hangs nowhere."""
    effects: dict[str, list[Link]] = {event.id: [] for _, event in logged}
    links = {
        event.id: Link(seq=seq, event=event, intake=intakes.get(seq), reply=replies.get(seq), effects=effects[event.id])
        for seq, event in logged
    }
    for link in links.values():
        if link.event.id != root and link.event.cause_id in effects:
            effects[link.event.cause_id].append(link)
    return links[root]


def _unknown(event_id: str, *, several: bool, here: bool) -> str:
    place = " of this place" if here else ""
    hint = (
        "give more of the id"
        if several
        else "`picklebot events list` shows them"
        if not here
        else "/why explains the last message"
    )
    return f"{'several events' if several else 'no event'}{place} {'begin' if several else 'begins'} with {event_id!r}; {hint}"
