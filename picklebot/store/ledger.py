"""Counts and sums over everything that was ever accepted, in SQL."""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from itertools import groupby

from picklebot.core.people import speaker
from picklebot.core.replies import Usage
from picklebot.core.source import JOBS, Source
from picklebot.store.base import Counts, Heading, Spend, total
from picklebot.store.codec import from_micros, to_micros
from picklebot.store.database import Database, Row

_QUARTER = 900_000_000  #: microseconds; every time zone is a whole number of quarters from UTC
_JOBS = ", ".join(f"'{channel}'" for channel in sorted(JOBS))
_OF_JOB = f"substr(source, 1, instr(source, ':') - 1) IN ({_JOBS})"
# A task that one agent gives another belongs to the job that is at the top of it, if one is, or to whoever spoke there.
_UP = """WITH RECURSIVE up (source, cause_id) AS (
        SELECT source, cause_id FROM events WHERE events.seq = inbox.seq
        UNION ALL SELECT above.source, above.cause_id FROM events AS above JOIN up ON above.id = up.cause_id)"""
_JOB = f"{_UP} SELECT iif({_OF_JOB}, source, '') FROM up WHERE cause_id IS NULL"  # noqa: S608  (constants)
_SPEAKER = f"{_UP} SELECT iif({_OF_JOB}, '', source) FROM up WHERE cause_id IS NULL"  # noqa: S608  (constants)
_KEYS: Mapping[Heading, str] = {
    "agent": "inbox.agent_id",
    "session": "inbox.session_id",
    "cron": f"iif(inbox.channel IN ({_JOBS}, 'agent'), ({_JOB}), '')",
    "day": f"steps.at / {_QUARTER}",
    "person": f"({_SPEAKER})",
    "model": "steps.model",
}
_SUMS = """count(*), coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0), coalesce(sum(cache_read), 0),
    coalesce(sum(cache_write), 0), coalesce(sum(cost_usd), 0), coalesce(sum(cost_usd IS NULL), 0)
    FROM steps JOIN inbox ON inbox.seq = steps.turn"""

# One statement, so that all of it is of one moment, also beside a daemon that writes.
_COUNTS = """SELECT 'inbox ' || state, count(*) FROM inbox GROUP BY state
    UNION ALL SELECT 'outbox ' || state, count(*) FROM outbox GROUP BY state
    UNION ALL SELECT 'running', count(*) FROM turns WHERE state = 'running'
    UNION ALL SELECT 'accepted', count(*) FROM events WHERE kind IN ('InboundEvent', 'DispatchEvent')"""


class SqliteLedger:
    """Reads only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counts(self) -> Counts:
        """Count everything that was ever accepted, by where it is now."""
        return _counts(await self._database.fetch(_COUNTS))

    async def spend(self, by: Heading, *, since: datetime | None = None, zone: tzinfo = UTC) -> list[Spend]:
        """Sum what model calls used; a `day` is one of `zone`."""
        rows = await self._database.fetch(
            f"SELECT {_KEYS[by]} AS heading, {_SUMS} WHERE steps.at >= ? GROUP BY heading ORDER BY heading",
            (to_micros(since) if since else 0,),
        )
        found = [_spend(row) for row in rows]
        match by:
            case "day":
                return _by_day(found, zone)
            case "person":
                return _by_person(found)
            case _:
                return found

    async def of_turn(self, event_id: str) -> Spend:
        """Sum what the turn of one message or task used so far."""
        rows = await self._database.fetch(
            f"SELECT ?, {_SUMS} JOIN events ON events.seq = inbox.seq WHERE events.id = ?",
            (event_id, event_id),
        )
        return _spend(rows[0])

    async def of_channel(self, channel: str, *, since: datetime) -> float:
        """Sum what the turns of messages from one channel have cost, in USD."""
        rows = await self._database.fetch(
            f"SELECT ?, {_SUMS} WHERE steps.at >= ? AND inbox.channel = ?", (channel, to_micros(since), channel)
        )
        return _spend(rows[0]).cost_usd


def count(connection: sqlite3.Connection) -> Counts:
    """Count everything that was ever accepted, on a plain connection."""
    return _counts(connection.execute(_COUNTS).fetchall())


def _counts(rows: Sequence[Row]) -> Counts:
    found: dict[str, int] = dict(rows)
    return Counts(
        accepted=found.get("accepted", 0),
        done=found.get("inbox done", 0),
        failed=found.get("inbox failed", 0),
        dead=found.get("inbox dead", 0),
        open=found.get("inbox open", 0),
        running=found.get("running", 0),
        undelivered=found.get("outbox pending", 0) + found.get("outbox sending", 0),
        dead_replies=found.get("outbox dead", 0),
    )


def _by_day(quarters: Sequence[Spend], zone: tzinfo) -> list[Spend]:
    """Sum what is known by the quarter of an hour into days of `zone`."""

    def day(spend: Spend) -> str:
        return f"{from_micros(int(spend.key) * _QUARTER).astimezone(zone):%Y-%m-%d}"

    return [total(key, list(spends)) for key, spends in groupby(quarters, day)]


def _by_person(sources: Sequence[Spend]) -> list[Spend]:
    """Sum what is known by the source into people, wherever on their platform they spoke."""

    def person(spend: Spend) -> str:
        return str(speaker(Source.parse(spend.key))) if spend.key else ""

    return [total(key, list(spends)) for key, spends in groupby(sorted(sources, key=person), person)]


def _spend(row: Row) -> Spend:
    key, calls, read, written, cached, stored, cost, unpriced = row
    usage = Usage(input_tokens=read, output_tokens=written, cache_read_tokens=cached, cache_write_tokens=stored)
    return Spend(key=key, calls=calls, usage=usage, cost_usd=cost, unpriced=unpriced)
