"""Definitions as the fields that programs read, the same from the command line and from the gateway.

Knows no terminal and no wire.
"""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

from picklebot.definitions.crons import CronSpec
from picklebot.definitions.spec import Definition
from picklebot.jobs.job import Job
from picklebot.store.base import JobState
from picklebot.workers.plans import upcoming

LONG = {"agent": frozenset({"prompt", "soul"}), "cron": frozenset({"prompt", "missed"}), "skill": frozenset({"body"})}
"""What is left out by kind: long texts, and what is told in words."""


def definition_fields(spec: Definition, root: Path, *, without: Collection[str]) -> dict[str, Any]:
    """Return what a definition says, its path below `root`."""
    path = spec.path.relative_to(root) if spec.path.is_relative_to(root) else spec.path
    return {**spec.model_dump(mode="json", exclude={*without, "path"}), "path": str(path)}


def cron_fields(spec: CronSpec, root: Path, *, job: Job, state: JobState | None, now: datetime) -> dict[str, Any]:
    """Return what a job's file says, and when it is next."""
    at, paused = upcoming(job, state, now), state.paused if state is not None else None
    return {
        **definition_fields(spec, root, without=LONG["cron"]),
        "missed": spec.missed.policy + (f":{spec.missed.seconds:g}s" if spec.missed.policy == "within" else ""),
        "next": at.isoformat() if at and not paused else None,
        "paused": paused,
    }
