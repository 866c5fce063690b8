"""A terminal outlives its daemon: what it says is accepted once and answered once, whenever the daemon dies."""

import asyncio
import os
import random
import sys
from pathlib import Path

from picklebot.cli.dialogue import Dialogue, TurnEnd
from picklebot.cli.joined import open_joined
from picklebot.cli.plain_view import SilentView
from picklebot.config import load
from picklebot.core.events import InboundEvent, OutboundEvent
from picklebot.store.sqlite import SqliteStore
from picklebot.testing.messages_api import MessagesApi, echo
from picklebot.workspace import Workspace
from tests.cli.running import fill
from tests.cli.serving import Server, serving

MESSAGES, DEATHS = 15, 2


async def test_what_is_said_while_the_daemon_dies_again_and_again_is_answered_once(workspace: Path) -> None:
    chance, told, ends = random.Random(7), list[str](), list[TurnEnd]()
    said = asyncio.Condition()

    async def die(server: Server) -> None:
        for number in range(1, DEATHS + 1):
            async with said:
                await said.wait_for(lambda: len(ends) >= number * MESSAGES // (DEATHS + 1))  # noqa: B023
            await asyncio.sleep(chance.random() * 0.05)  # somewhere in the midst of a message
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)

    async with MessagesApi(default=echo) as api, serving(workspace, api) as server:
        config = load(Workspace(workspace), os.environ)
        async with open_joined(config=config, role="chat") as daemon, asyncio.TaskGroup() as group:
            stop = asyncio.Event()
            daemon.tell_with(told.append)
            group.create_task(daemon.run(stop), name="line")
            dying = group.create_task(die(server), name="deaths")
            dialogue = Dialogue(daemon)
            for number in range(MESSAGES):
                end = await dialogue.say(f"message {number}", SilentView(sys.stdout, errors=sys.stderr))
                dialogue.shown(end)
                async with said:
                    ends.append(end)
                    said.notify_all()
            await dying
            daemon.tray.close()
            stop.set()
        await asyncio.to_thread(server.stop)

    assert [(end.outcome, end.reply) for end in ends] == [("done", f"echo: message {n}") for n in range(MESSAGES)]
    assert len([words for words in told if "is gone" in words]) == DEATHS
    assert await fill(workspace, events) == (MESSAGES, MESSAGES)
    assert await fill(workspace, undelivered) == 0


async def events(store: SqliteStore) -> tuple[int, int]:
    log = [event for _, event in await store.log.after(0, limit=1000)]
    asked = [event.content for event in log if isinstance(event, InboundEvent)]
    answered = {event.cause_id for event in log if isinstance(event, OutboundEvent)}
    assert len(set(asked)) == len(asked)
    return len(asked), len(answered)


async def undelivered(store: SqliteStore) -> int:
    return (await store.ledger.counts()).undelivered
