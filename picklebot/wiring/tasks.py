"""What agents do unasked, made from settings: tasks, posts, the heartbeat. Knows no turn."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from picklebot.channels.base import Channel
from picklebot.clock import Clock, zone_named
from picklebot.config import Config
from picklebot.jobs.heartbeat import CHANNEL, Hours, rhythm
from picklebot.tools.post import create_post_tools
from picklebot.tools.send import create_send_tools
from picklebot.tools.tasks import create_task_tools
from picklebot.tools.toolset import Toolset
from picklebot.wiring.parts import Parts
from picklebot.wiring.stage import now_in, redactor_of
from picklebot.workers.heartbeat import Habit, HeartbeatWorker
from picklebot.workers.places import Places
from picklebot.workers.posting import Posting
from picklebot.workers.sending import FileSending
from picklebot.workers.task_consent import TaskConsent
from picklebot.workers.task_roster import TaskRoster
from picklebot.workers.tasks import TaskBook

LIST = "HEARTBEAT.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unasked:
    """Where the owner is, how to write there out of turn, and which tasks there are."""

    places: Places
    posting: Posting
    sending: FileSending
    roster: TaskRoster


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """Makes tasks, and asks for the consent that some of them need."""

    book: TaskBook
    consent: TaskConsent


def create_unasked(config: Config, clock: Clock, parts: Parts, channels: Mapping[str, Channel]) -> Unasked:
    """Return what the scheduler and every turn need."""
    store = parts.store
    places = Places(store.places, sources=lambda: parts.people.owner_places)
    posting = Posting(
        posts=store.posts,
        places=places,
        channels=channels,
        bus=parts.bus,
        clock=clock,
        redact=redactor_of(config),
    )
    return Unasked(
        places=places,
        posting=posting,
        sending=FileSending(posting, parts.attachments, clock=clock),
        roster=TaskRoster(store.tasks, tell=posting.tell),
    )


def create_tasks(config: Config, clock: Clock, parts: Parts, *, changed: Callable[[str], None]) -> Tasks:
    """Return what makes tasks; `changed` hears which job is to be looked at again."""
    rows = parts.store.tasks
    consent = TaskConsent(rows=rows, keep=parts.store.proposals.propose, clock=clock, changed=changed)
    book = TaskBook(
        rows=rows,
        clock=clock,
        zone=zone_named(config.timezone),
        is_owner=parts.people.is_owner,
        consent=consent.ask,
        changed=changed,
    )
    return Tasks(book=book, consent=consent)


def with_late_tools(parts: Parts, unasked: Unasked, tasks: Tasks) -> Toolset:
    """Return every tool of the daemon, those included that the workers do the work of."""
    late = [*create_task_tools(tasks.book), *create_post_tools(unasked.posting), *create_send_tools(unasked.sending)]
    return Toolset([*parts.toolset.tools.values(), *late])


def create_heartbeat(config: Config, clock: Clock, parts: Parts, places: Places) -> HeartbeatWorker | None:
    """Return the worker that looks around, if settings name an agent for it."""
    settings = config.heartbeat
    if settings.agent is None:
        return None
    local_now = now_in(config, clock)

    async def poor() -> str:
        spent = await parts.store.ledger.of_channel(CHANNEL, since=_midnight(local_now()))
        if spent < settings.day_usd:
            return ""
        return f"today's ${settings.day_usd:.2f} for it are spent (heartbeat.day_usd)"

    habit = Habit(
        agent_id=settings.agent,
        timing=rhythm(settings.every, zone_named(config.timezone)),
        hours=Hours.parse(settings.active_hours) if settings.active_hours else None,
        deliver=settings.deliver,
        file=config.workspace.root / LIST,
        knows=lambda agent_id: agent_id in parts.library.agents,
        poor=poor,
        queue_limit=config.limits.queue_per_session,
    )
    return HeartbeatWorker(habit=habit, book=parts.store.jobs, owner=places, bus=parts.bus, clock=clock)


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
