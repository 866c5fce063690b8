"""The heartbeat: one agent looks around by itself, in its main session, from time to time.

Promises that a beat is begun at most once and ends as one row, whatever restarts come between, and that one which would
find nothing to do costs nothing: each is left out with its reason while there is no owner, nothing to look at, no money
left, or somebody speaking. Knows no model and no platform.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Protocol

from picklebot.clock import Clock
from picklebot.core.bus import EventBus
from picklebot.core.source import Source
from picklebot.definitions.crons import Missed
from picklebot.jobs.heartbeat import CHANNEL, Hours, points, prompt
from picklebot.jobs.missed import divide
from picklebot.jobs.timing import Instant, Timing, instants, next_instant
from picklebot.store.base import Arrival
from picklebot.store.base.jobs import Claimed, Firing, InstantReport, Progress, Row

logger = logging.getLogger(__name__)

MAX_BYTES = 64 * 1024  #: of HEARTBEAT.md
MAX_MISSED = 1_000  #: beats missed while nobody was there that get a row
DOWN = "picklebot was not running"
LONGEST_REST = timedelta(days=1)  #: after beats that failed
_REMEMBERED = 100  # beats looked back at


class Book(Protocol):
    """Remembers what became of each beat."""

    async def account(self, job_id: str, rows: Sequence[Row], progress: Progress) -> int:
        """Write rows for beats that send nothing."""
        ...

    async def claim(self, firing: Firing, *, limit: int) -> Claimed:
        """Make a beat's row and accept its message, both or neither."""
        ...

    async def history(self, job_id: str, *, limit: int) -> list[InstantReport]:
        """Return the last beats."""
        ...


class Owner(Protocol):
    """Knows where the owner is."""

    async def last(self) -> Source | None:
        """Return where the owner spoke last; None if they never did."""
        ...

    async def main_session(self, agent_id: str) -> str | None:
        """Return the session in which the owner last spoke to an agent."""
        ...

    async def busy(self, session_id: str) -> bool:
        """Return whether a session has a message that is not answered."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How a heartbeat goes. `poor` says why there is no money for a beat now; "" where there is."""

    agent_id: str
    timing: Timing
    hours: Hours | None
    deliver: str
    file: Path
    knows: Callable[[str], bool]
    poor: Callable[[], Awaitable[str]]
    queue_limit: int

    @property
    def source(self) -> Source:
        """Who speaks in a beat."""
        return Source(CHANNEL, (self.agent_id,))


class HeartbeatWorker:
    """Begins beats."""

    name = "heartbeat"

    def __init__(self, *, habit: Habit, book: Book, owner: Owner, bus: EventBus, clock: Clock) -> None:
        self._habit = habit
        self._book = book
        self._owner = owner
        self._bus = bus
        self._clock = clock
        self._stop = asyncio.Event()
        self._job = str(habit.source)
        self._told = ""

    async def run(self, ready: Callable[[], None]) -> None:
        """Beat until stopped."""
        through = await self._catch_up()
        ready()
        while (instant := next_instant(self._habit.timing, after=through)) is not None:
            if await self._clock.wait(self._stop, until=instant.at):
                return
            # A clock that jumped, or a machine that slept, has passed several: the newest speaks for all.
            through = await self._catch_up_from(through)

    def stop(self) -> None:
        """Begin no more beats."""
        self._stop.set()

    async def _catch_up(self) -> datetime:
        """Return up to where the beats are accounted for, having begun the newest of those missed."""
        last = await self._book.history(self._job, limit=1)
        now = self._clock.now()
        return await self._catch_up_from(min(last[-1].at, now)) if last else now

    async def _catch_up_from(self, through: datetime) -> datetime:
        now = self._clock.now()
        # From near enough, so that a year away is no long count.
        near = max(through, now - timedelta(seconds=MAX_MISSED * (self._habit.timing.every or 0)))
        passed: list[Instant] = []
        for instant in instants(self._habit.timing, after=near):
            if instant.at > now:
                break
            passed.append(instant)
        begun, missed = divide(Missed("once"), passed, now=now)
        if missed:
            rows = [Row(wall=each.wall, at=each.at, stage="missed", reason=DOWN) for each in missed]
            await self._book.account(self._job, rows, _progress(missed[-1]))
        for instant in begun:
            await self._beat(instant, now)
        return passed[-1].at if passed else through

    async def _beat(self, instant: Instant, now: datetime) -> None:
        reason, asked = await self._ask(now)
        if reason:
            row = Row(wall=instant.wall, at=instant.at, stage="skipped", reason=reason)
            await self._book.account(self._job, [row], _progress(instant))
            # Said once, and not again at every beat of the night.
            logger.log(logging.INFO if reason != self._told else logging.DEBUG, "no heartbeat: %s", reason)
            self._told = reason
            return
        claimed = await self._claim(instant, now, asked)
        self._told = ""
        if claimed.event is not None and not claimed.again:
            logger.info("heartbeat of %s", self._habit.agent_id, extra={"event": claimed.event.id})
            await self._bus.publish(claimed.event)

    async def _ask(self, now: datetime) -> tuple[str, str]:
        """Return why there is no beat now, or "" and what the agent is asked."""
        habit = self._habit
        if habit.hours is not None and not habit.hours.hold(now.astimezone(habit.timing.zone)):
            return "it is outside the active hours", ""
        if await self._owner.last() is None:
            return "nobody has spoken yet whom it could concern", ""
        if not habit.knows(habit.agent_id):
            return f"there is no agent {habit.agent_id!r}", ""
        reason, listed = await asyncio.to_thread(_read, habit.file)
        if reason:
            return reason, ""
        session_id = await self._owner.main_session(habit.agent_id)
        if session_id is not None and await self._owner.busy(session_id):
            return "its session is busy", ""
        return await self._rest(now) or await habit.poor(), prompt(listed)

    async def _rest(self, now: datetime) -> str:
        """Return why there is none after beats that failed: what fails all night should be told a few times."""
        history = await self._book.history(self._job, limit=_REMEMBERED)
        begun = [beat for beat in reversed(history) if beat.verdict in {"ran", "late", "failed"}]
        failed = [*takewhile(lambda beat: beat.verdict == "failed", begun)]
        if not failed:
            return ""
        pause = timedelta(seconds=self._habit.timing.every or 0) * 2 ** min(len(failed), 10)
        until = failed[0].at + min(pause, LONGEST_REST)
        if now >= until:
            return ""
        count = "the last one" if len(failed) == 1 else f"the last {len(failed)}"
        return f"{count} failed; it rests until {until.astimezone(self._habit.timing.zone):%H:%M}"

    async def _claim(self, instant: Instant, now: datetime, asked: str) -> Claimed:
        habit = self._habit
        arrival = Arrival(
            source=habit.source,
            content=asked,
            key=f"{self._job}@{instant.wall}",
            agent_id=habit.agent_id,
            pinned=True,
            session_id=await self._owner.main_session(habit.agent_id),
            deliver=habit.deliver,
            at=now,
        )
        late = now - instant.at >= timedelta(minutes=1)
        firing = Firing(
            job_id=self._job, wall=instant.wall, at=instant.at, arrival=arrival, progress=_progress(instant), late=late
        )
        return await self._book.claim(firing, limit=habit.queue_limit)


def _progress(instant: Instant) -> Progress:
    return Progress(through=instant.at, next=None, due=None)


def _read(file: Path) -> tuple[str, str]:
    """Return why there is nothing to look at, or "" and the list."""
    try:
        with file.open("rb") as opened:
            text = opened.read(MAX_BYTES).decode("utf-8-sig", "replace")
    except FileNotFoundError:
        return f"there is no {file.name}", ""
    except OSError as exc:
        return f"{file.name} cannot be read: {exc.strerror}", ""
    listed = points(text)
    return ("", listed) if listed else (f"{file.name} asks for nothing", "")
