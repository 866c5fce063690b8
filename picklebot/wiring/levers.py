"""What the gateway's changing half is given: what does the same as the commands. Knows no route."""

from collections.abc import Mapping
from typing import Any

from picklebot.core.proposals import Verdict
from picklebot.errors import ConfigError
from picklebot.gateway.deeds import Levers
from picklebot.store.letters import Letter
from picklebot.wiring.gateway import Ground
from picklebot.wiring.holdings import job_id_of
from picklebot.workers.requests import by_hand

_COMMANDS: Mapping[Verdict, str] = {"approved": "approve", "denied": "deny"}
OWNER = "owner"  #: the client of what is answered over the API: whoever has the token is the owner


def levers_of(ground: Ground) -> Levers:
    """Return what begins, stops, and answers."""
    store, bus, clock = ground.parts.store, ground.parts.bus, ground.clock
    taker, scheduler = ground.staff.taker, ground.staff.scheduler

    async def run(name: str) -> dict[str, Any]:
        if scheduler is None:
            raise ConfigError("no job is begun here")
        moment = clock.now()
        wall = by_hand(moment.isoformat(timespec="milliseconds"))
        claimed = await scheduler.run_by_hand(job_id_of(name), wall=wall, at=moment)
        event = claimed.event
        return {"stage": claimed.stage, "reason": claimed.reason, "event_id": event.id if event else None}

    async def stop(event_id: str) -> bool:
        _, event = await store.log.get(event_id)
        turn = await store.answers.turn_of(event.id)
        return taker.answering(event.session_id) == turn and taker.stop(event.session_id)

    async def retry(event_id: str) -> Letter:
        letter = await store.letters.retry(event_id, at=clock.now())
        await bus.publish(letter.event)
        return letter

    async def drop(event_id: str) -> Letter:
        return await store.letters.drop(event_id, at=clock.now())

    async def answer(verdict: Verdict, proposal_id: str) -> str:
        source = ground.entrances.http.source(OWNER)
        return await ground.staff.commands.run(source, (_COMMANDS[verdict], proposal_id))

    return Levers(run=run, stop=stop, retry=retry, drop=drop, answer=answer)
