"""What the gateway's reading half is given: where its rows come from. Knows no route."""

import asyncio
from typing import Any

from picklebot.clock import zone_named
from picklebot.core.source import Source
from picklebot.errors import NotFound
from picklebot.gateway.holdings import Rows, Shelves
from picklebot.gateway.records import Records
from picklebot.jobs.job import CRON
from picklebot.jobs.task import PREFIX, task_id
from picklebot.shapes import instant_json, link_json, proposal_json, task_json
from picklebot.wiring.fields import LONG, cron_fields, definition_fields
from picklebot.wiring.gateway import Ground
from picklebot.wiring.standing import unanswered
from picklebot.wiring.upcoming import jobs_of, states_of
from picklebot.wiring.why import surroundings_of
from picklebot.workers.tree import draw
from picklebot.workers.why import tell

ENDED_TASKS = 20  #: tasks that have ended, in one answer


def job_id_of(name: str) -> str:
    """Return the id of a job: that of a file by its name, others as they are.

    Raises:
        NotFound: it is no id.
    """
    try:
        return str(Source.parse(name)) if ":" in name else str(Source(CRON, (name,)))
    except ValueError as exc:
        raise NotFound(f"there is no job {name[:64]!r}") from exc


def shelves_of(ground: Ground) -> Shelves:
    """Return where the rows about the workspace come from."""
    config, parts, clock = ground.config, ground.parts, ground.clock
    root, store = config.workspace.root, parts.store

    def agents() -> Rows:
        return [definition_fields(spec, root, without=LONG["agent"]) for spec in parts.library.agents.values()]

    async def crons() -> Rows:
        specs = parts.library.crons
        jobs = jobs_of(specs, zone=zone_named(config.timezone), default_agent=config.default_agent)
        states, now = await states_of(store, jobs), clock.now()
        return [
            cron_fields(spec, root, job=jobs[name], state=states.get(name), now=now) for name, spec in specs.items()
        ]

    async def history(name: str, limit: int) -> Rows:
        job_id = job_id_of(name)
        found = await store.jobs.history(job_id, limit=limit)
        if not found and name not in parts.library.crons and not await _is_known(ground, job_id):
            raise NotFound(f"there is no job {name[:64]!r}")
        return [instant_json(instant) for instant in found]

    async def tasks() -> Rows:
        found = [*await store.tasks.open(), *await store.tasks.ended(limit=ENDED_TASKS)]
        return [task_json(task, clock.now()) for task in found]

    async def proposals() -> Rows:
        return [
            {**proposal_json(each), "details": each.details, "body": dict(each.body), "intact": each.intact}
            for each in await unanswered(store, clock.now())
        ]

    async def findings() -> Rows:
        return await asyncio.to_thread(ground.examine)

    return Shelves(agents=agents, crons=crons, history=history, tasks=tasks, proposals=proposals, findings=findings)


async def _is_known(ground: Ground, job_id: str) -> bool:
    store = ground.parts.store
    number = task_id(job_id) if job_id.startswith(PREFIX) else None
    if number is not None:
        return await store.tasks.find(number) is not None
    return bool(await store.jobs.states([job_id]))


def records_of(ground: Ground) -> Records:
    """Return the routes that read the store."""
    store, zone = ground.parts.store, zone_named(ground.config.timezone)

    async def why(event_id: str) -> dict[str, Any]:
        chain = await store.chains.chain(event_id)
        around = surroundings_of(
            ground.config, ground.parts.library, ground.clock, routing=ground.staff.routing, runs=True
        )
        return {
            "asked": chain.asked,
            "running": dict(chain.running),
            "chain": link_json(chain.root),
            "lines": draw(tell(chain, around)),
        }

    return Records(
        sessions=store.sessions,
        reports=store.reports,
        letters=store.letters,
        spend=lambda by: store.ledger.spend(by, zone=zone),
        why=why,
    )
