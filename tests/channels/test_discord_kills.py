"""A daemon on Discord that is killed: what was said before, during and after is answered once, in order."""

import asyncio
from pathlib import Path

from tests.channels.discord_stage import DiscordStage
from tests.cli.serving import serving

PEOPLE, BEFORE = (1, 2), 6


async def test_kill_9_loses_and_doubles_nothing_that_was_said_before_meanwhile_or_after(workspace: Path) -> None:
    async with DiscordStage(workspace) as stage:
        stage.configure(PEOPLE)
        said = 0

        def say(count: int) -> None:
            nonlocal said
            for number in range(said, said + count):
                for person in PEOPLE:
                    stage.say(f"say m{number}", person=person)
            said += count

        async with serving(workspace) as server:
            say(BEFORE)
            await stage.until(lambda: sum(len(stage.heard(person)) for person in PEOPLE) >= 3)
            await asyncio.to_thread(server.kill)
            say(BEFORE)
            await asyncio.to_thread(server.start)
            say(BEFORE)
            await stage.until(lambda: all(len(stage.heard(person)) >= said for person in PEOPLE))
            await asyncio.to_thread(server.stop)
        for person in PEOPLE:
            assert stage.heard(person) == [f"m{number}" for number in range(said)]
