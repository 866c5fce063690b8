"""Begins instants: the message a job sends, what may keep it from being sent, and its gate.

Promises that whatever comes of an instant is in its row. Knows no timetable.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from picklebot.clock import Clock
from picklebot.core.bus import EventBus
from picklebot.errors import NotFound
from picklebot.jobs.job import Job
from picklebot.jobs.timing import Instant
from picklebot.store.base import Arrival, Claimed, Firing, Held, JobBook, Progress, Row
from picklebot.workers.destinations import LastPlace
from picklebot.workers.gates import Gates

logger = logging.getLogger(__name__)

MOST_FAILURES = 10  #: in a row, after which a job is paused


class Agents(Protocol):
    """Says which agents there are."""

    def get_agent(self, agent_id: str) -> object:
        """Return an agent.

        Raises:
            NotFound: with the nearest id.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On which terms jobs are begun. `queue_limit`: messages that wait in one session."""

    agents: Agents
    gates: Gates
    places: LastPlace
    queue_limit: int
    enabled: bool = True


class Starter:
    """Begins instants."""

    def __init__(self, *, bus: EventBus, book: JobBook, clock: Clock, terms: Terms) -> None:
        self._bus = bus
        self._book = book
        self._clock = clock
        self._terms = terms

    async def begin(
        self, job: Job, instant: Instant, progress: Progress | None, *, late: bool = False, stand_by: bool = False
    ) -> Claimed:
        """Make an instant's row, and send its message if nothing speaks against it. `progress` None: by hand."""
        if (obstacle := self._obstacle(job, by_hand=progress is None)) is not None:
            return await self._refuse(job, instant, progress, obstacle)
        reason = f"begun {_span(self._clock.now() - instant.at)} after it was due" if late else ""
        firing = Firing(
            job_id=job.id,
            wall=instant.wall,
            at=instant.at,
            arrival=self._arrival(job, instant),
            progress=progress,
            overlap=job.overlap,
            stand_by=stand_by,
            ends=job.ends and progress is not None,
            gated=job.gate is not None,
            late=late,
            reason=reason,
        )
        return await self._announced(job, await self._book.claim(firing, limit=self._terms.queue_limit))

    async def go_on(self, job: Job, held: Held) -> Claimed:
        """Let an instant that waits be begun, if it may by now."""
        if (obstacle := self._obstacle(job, by_hand=held.by_hand)) is not None:
            await self._book.settle(job.id, held.wall, stage=obstacle.stage, reason=obstacle.reason)
            return obstacle
        return await self._fire(job, held, gated=job.gate is not None)

    async def ask(self, job: Job, held: Held) -> Claimed:
        """Ask the gate of an instant, and do as it says."""
        assert job.gate is not None
        answer = await self._terms.gates.ask(job, job.gate, _key(job, held.wall))
        if not answer.opens:
            await self._book.settle(job.id, held.wall, stage="skipped", reason=answer.text)
            logger.info("job %s, %s: %s", job.id, held.wall, answer.text)
            return Claimed(stage="skipped", reason=answer.text)
        return await self._fire(job, held, gated=False, said=answer.text)

    async def check(self, job_id: str) -> None:
        """Pause a job that only fails, and tell the owner, once."""
        to, now = await self._terms.places.last(), self._clock.now()
        tripped = await self._book.trip(job_id, most=MOST_FAILURES, to=to, at=now)
        if tripped is not None:
            logger.error("job %s is paused: %s", job_id, tripped.why)
            if tripped.notice is not None:
                await self._bus.publish(tripped.notice)

    async def _fire(self, job: Job, held: Held, *, gated: bool, said: str = "") -> Claimed:
        instant = Instant(held.at, held.wall)
        firing = Firing(
            job_id=job.id,
            wall=held.wall,
            at=held.at,
            arrival=self._arrival(job, instant, said),
            ends=job.ends and not held.by_hand,
            gated=gated,
            late=held.late,
            reason=held.reason,
        )
        return await self._announced(job, await self._book.fire(firing, limit=self._terms.queue_limit))

    def _obstacle(self, job: Job, *, by_hand: bool) -> Claimed | None:
        if not self._terms.enabled and not by_hand:
            return Claimed(stage="skipped", reason="no job is begun: cron.enabled is false in config.yaml")
        try:
            self._terms.agents.get_agent(job.agent_id)
        except NotFound as exc:
            return Claimed(stage="failed", reason=str(exc))
        return None

    async def _refuse(self, job: Job, instant: Instant, progress: Progress | None, obstacle: Claimed) -> Claimed:
        row = Row(wall=instant.wall, at=instant.at, stage=obstacle.stage, reason=obstacle.reason)
        await self._book.account(job.id, [row], progress)
        logger.warning("job %s, %s: %s", job.id, instant.wall, obstacle.reason)
        if obstacle.stage == "failed":
            await self.check(job.id)
        return obstacle

    async def _announced(self, job: Job, claimed: Claimed) -> Claimed:
        if claimed.event is not None:
            logger.info("job %s begins", job.id, extra={"event": claimed.event.id})
            await self._bus.publish(claimed.event)
        elif claimed.stage == "failed":
            await self.check(job.id)
        return claimed

    def _arrival(self, job: Job, instant: Instant, said: str = "") -> Arrival:
        now = self._clock.now()
        fresh, keep = job.session == "fresh", job.session == "keep"
        return Arrival(
            source=job.source,
            content=_content(job, instant, now, said),
            key=_key(job, instant.wall),
            agent_id=job.agent_id,
            at=now,
            session_id=None if fresh or keep else job.session,
            new_session=fresh,
            pinned=keep,
            deliver=job.deliver,
        )


def _key(job: Job, wall: str) -> str:
    return f"{job.id}@{wall}"


def _content(job: Job, instant: Instant, now: datetime, said: str) -> str:
    due = instant.at.astimezone(job.zone)
    behind = now - instant.at - timedelta(seconds=job.jitter)
    late = f", {_span(behind)} ago" if behind >= timedelta(minutes=1) else ""
    how = (
        "begun by hand"
        if instant.wall.startswith("by hand")
        else f"due on {due:%A %Y-%m-%d at %H:%M} ({job.zone}){late}"
    )
    name = job.source.parts[0] if job.source.parts else job.id
    called = f" ({job.name})" if job.name and job.name != name else ""
    parts = [f"[Job {name}{called}, {how}]", job.prompt]
    if said:
        parts.append(f"What the job's gate wrote:\n{said}")
    return "\n\n".join(part for part in parts if part)


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    hours, days = minutes // 60, minutes // 1440
    if days > 2:
        return f"{days} days"
    return f"{hours} h {minutes % 60} min" if hours else f"{max(minutes, 0)} min"
