"""The slash command about jobs.

Promises the next moment of each, or why there is none. Knows no platform.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo

from picklebot.core.source import Source
from picklebot.core.text import shorten
from picklebot.jobs.job import job_of
from picklebot.store.base import JobBook
from picklebot.workers.commands import Command
from picklebot.workers.cron_files import Crons
from picklebot.workers.plans import upcoming

MAX_LISTED = 50


class JobCommands:
    """Answers /crons."""

    def __init__(self, *, library: Crons, book: JobBook, now: Callable[[], datetime], zone: tzinfo) -> None:
        self._library = library
        self._book = book
        self._now = now
        self._zone = zone

    def table(self) -> Mapping[str, Command]:
        """Return the commands by name."""
        return {"crons": Command("crons", "", "Which jobs there are, and when they are due.", self._crons)}

    async def _crons(self, source: Source, argument: str) -> str:
        specs = list(self._library.crons.values())
        jobs = {spec.id: job_of(spec, default_agent="", zone=self._zone) for spec in specs[:MAX_LISTED]}
        states = {state.id: state for state in await self._book.states([job.id for job in jobs.values()])}
        now = self._now()
        lines: list[str] = []
        for name, job in jobs.items():
            state = states.get(job.id)
            at = upcoming(job, state, now)
            if not job.enabled:
                when = "off"
            elif state is not None and state.paused:
                when = f"paused: {shorten(state.paused, 120)}"
            else:
                when = f"{at.astimezone(self._zone):%a %Y-%m-%d %H:%M}" if at else "not due any more"
            lines.append(f"- **{name}**: {shorten(job.name, 60)}; {when}")
        if len(specs) > MAX_LISTED:
            lines.append(f"- and {len(specs) - MAX_LISTED} more")
        return "\n".join(lines) or "There are no jobs."
