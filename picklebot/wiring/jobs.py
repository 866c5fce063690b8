"""The scheduler, made from settings. Knows no job."""

from picklebot.clock import Clock, zone_named
from picklebot.config import Config
from picklebot.wiring.parts import Parts
from picklebot.workers.cron import CronWorker
from picklebot.workers.cron_files import CronFiles, Roster
from picklebot.workers.destinations import LastPlace
from picklebot.workers.gates import Gates
from picklebot.workers.requests import RequestFolder
from picklebot.workers.starting import Starter, Terms


def create_scheduler(
    config: Config, clock: Clock, parts: Parts, places: LastPlace, *, tasks: Roster
) -> CronWorker | None:
    """Return the worker that begins jobs: in a server all of them, in a chat the tasks; None in what only asks."""
    if parts.role == "ask":
        return None
    workspace, library = config.workspace, parts.library
    terms = Terms(
        agents=library,
        gates=Gates(parts.toolset.tools.get("bash"), config.approvals),
        places=places,
        queue_limit=config.limits.queue_per_session,
        enabled=config.cron.enabled,
    )
    files = CronFiles(library, workspace.crons, default_agent=config.default_agent, zone=zone_named(config.timezone))
    return CronWorker(
        bus=parts.bus,
        book=parts.store.jobs,
        rosters=[files, tasks] if parts.role == "server" else [tasks],
        starter=Starter(bus=parts.bus, book=parts.store.jobs, clock=clock, terms=terms),
        requests=RequestFolder(workspace.requests),
        clock=clock,
    )
