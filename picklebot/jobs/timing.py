"""When a job is due: its instants, one after the other.

Promises that the instants of a job are the same whoever asks and from wherever they are counted: ascending, each
identity once. A wall time that a clock change skips is due at the first minute after the gap, and all that one gap
skips are one instant; a wall time that comes twice is due when it comes first. So `*/15 * * * *` rests for the hour
that an autumn night repeats, while `every: 15m` counts elapsed seconds. Knows no store and not what time it is.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from hashlib import blake2b

from picklebot.clock import zone_named
from picklebot.definitions.crons import CronSpec
from picklebot.definitions.patterns import pattern

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When a job is due, by exactly one of `cron`, `every` and `at`. Spans are in seconds, moments are aware."""

    zone: tzinfo
    cron: str | None = None
    every: float | None = None
    """At least a second, since an identity has no finer one."""
    at: datetime | None = None
    anchor: datetime | None = None
    """From where `every` counts: the first instant comes one span later."""
    jitter: float = 0.0

    def __post_init__(self) -> None:
        if sum(each is not None for each in (self.cron, self.every, self.at)) != 1:
            raise ValueError(f"a job has exactly one of cron, every and at, not {self!r}")
        if self.every is not None and (self.every < 1 or self.anchor is None):
            raise ValueError(
                f"every {self.every:g} s from {self.anchor} is no schedule: it takes a second and an anchor"
            )
        for moment in (self.at, self.anchor):
            if moment is not None and moment.tzinfo is None:
                raise ValueError(f"{moment} has no time zone")


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment at which a job is due."""

    at: datetime
    """In UTC."""
    wall: str
    """Its identity within the job: the wall time in the job's zone; for `every` and `at` the moment in UTC."""


def instants(timing: Timing, *, after: datetime) -> Iterator[Instant]:
    """Yield the instants strictly after a moment, in order, each as it is asked for; mostly there is no end to them."""
    if timing.cron is not None:
        return _of_cron(timing.cron, timing.zone, after)
    if timing.every is not None and timing.anchor is not None:
        return _of_span(timedelta(seconds=timing.every), timing.anchor.astimezone(UTC), after)
    return iter([_moment(timing.at.astimezone(UTC))] if timing.at is not None and timing.at > after else [])


def next_instant(timing: Timing, *, after: datetime) -> Instant | None:
    """Return the first instant strictly after a moment; None if there is none."""
    return next(instants(timing, after=after), None)


def timing_of(spec: CronSpec, *, zone: tzinfo, anchor: datetime) -> Timing:
    """Return when the job of a CRON.md is due. `zone` is for a job that names none, `anchor` for one with `every`."""
    zone = zone_named(spec.timezone) if spec.timezone else zone
    at = datetime.fromisoformat(spec.at) if spec.at is not None else None
    if at is not None and at.tzinfo is None:
        at, _ = _placed(at, zone)
    return Timing(zone=zone, cron=spec.schedule, every=spec.every, at=at, anchor=anchor, jitter=spec.jitter)


def delay_of(job_id: str, instant: Instant, jitter: float) -> timedelta:
    """Return how much later than its moment an instant is to be begun: less than `jitter` seconds, always the same."""
    drawn = blake2b(f"{job_id}\0{instant.wall}".encode(), digest_size=8).digest()
    return timedelta(seconds=jitter * (int.from_bytes(drawn, "big") / 2**64))


def _of_cron(expression: str, zone: tzinfo, after: datetime) -> Iterator[Instant]:
    latest = after
    for wall in pattern(expression).walls(after.astimezone(zone).replace(tzinfo=None)):
        at, shown = _placed(wall, zone)
        # Not so: the first minute of a repeated hour, what one gap skipped together, and the minute of `after` itself.
        if at > latest:
            latest = at
            yield Instant(at, shown.isoformat(timespec="minutes"))


def _of_span(span: timedelta, anchor: datetime, after: datetime) -> Iterator[Instant]:
    count = max((after - anchor) // span + 1, 1)
    while True:
        try:
            at = anchor + count * span
        except OverflowError:  # the calendar ends with the year 9999
            return
        yield _moment(at)
        count += 1


def _moment(at: datetime) -> Instant:
    return Instant(at, at.isoformat(timespec="seconds"))


def _placed(wall: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return the moment, in UTC, at which a clock in `zone` first shows `wall`, and what it shows then."""
    at = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if _shown(at, zone) == wall:
        return at, wall
    # The clock skips it. Read with the offset from after the gap it lies before the change, else behind it.
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    seconds = range(int((at - before).total_seconds()) + 1)
    index = bisect_left(seconds, True, key=lambda n: _shown(before + timedelta(seconds=n), zone) > wall)
    at = before + timedelta(seconds=seconds[index])
    at += -timedelta(seconds=_shown(at, zone).second) % _MINUTE
    return at, _shown(at, zone)


def _shown(at: datetime, zone: tzinfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)
