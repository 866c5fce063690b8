"""A job made in conversation: what it asks, when, and in which chat.

Promises values only. Knows no store and not what time it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from picklebot.clock import zone_named
from picklebot.definitions.crons import Missed
from picklebot.jobs.job import Job
from picklebot.jobs.timing import Timing

TaskState: TypeAlias = Literal["active", "waiting", "done", "cancelled"]

PREFIX = "task:"  #: before a task's id, where it stands among other jobs


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A task that is still to be written down. `key` names the call that makes it: the same key makes one task.

    `place` is where its replies go: a source, `last` or `none`. Without a session it gets one of its own.
    """

    key: str
    session_id: str | None
    agent_id: str
    place: str
    prompt: str
    timing: Timing
    created_at: datetime
    waiting: bool = False
    """Whether its owner must agree before it starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as it stands. `note` says why it ended, where that is not plain."""

    id: int
    session_id: str | None
    agent_id: str
    place: str
    prompt: str
    timing: Timing
    created_at: datetime
    state: TaskState
    note: str = ""

    @property
    def job_id(self) -> str:
        """Its name among all jobs, and the source of its messages."""
        return f"{PREFIX}{self.id}"

    @property
    def job(self) -> Job:
        """The task as one job among others. Without a session it keeps one of its own."""
        return Job(
            id=self.job_id,
            name="",
            agent_id=self.agent_id,
            zone=self.timing.zone,
            cron=self.timing.cron,
            every=self.timing.every,
            at=self.timing.at,
            prompt=self.prompt,
            since=self.timing.anchor,
            missed=Missed("once"),
            session=self.session_id or "keep",
            deliver=self.place,
        )


def to_mapping(new: NewTask) -> dict[str, Any]:
    """Return a task that a person makes, in JSON's own values: `from_mapping` reads it."""
    timing = new.timing
    return {
        "key": new.key,
        "agent": new.agent_id,
        "place": new.place,
        "prompt": new.prompt,
        "cron": timing.cron,
        "every": timing.every,
        "at": timing.at.isoformat() if timing.at is not None else None,
        "zone": str(timing.zone),
        "made": new.created_at.isoformat(),
    }


def from_mapping(body: Mapping[str, Any]) -> NewTask:
    """Read what `to_mapping` wrote.

    Raises:
        ValueError, KeyError, TypeError: it did not write that.
    """
    made = datetime.fromisoformat(body["made"])
    at = datetime.fromisoformat(body["at"]) if body["at"] is not None else None
    zone = zone_named(body["zone"])
    return NewTask(
        key=body["key"],
        session_id=None,
        agent_id=body["agent"],
        place=body["place"],
        prompt=body["prompt"],
        timing=Timing(zone=zone, cron=body["cron"], every=body["every"], at=at, anchor=made),
        created_at=made,
    )


def task_id(text: str | int) -> int | None:
    """Return the number in `3`, `#3` or `task:3`; None if it is no task's id."""
    digits = str(text).strip().removeprefix(PREFIX).removeprefix("#")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else None
