"""Discord as the contract of channels sees it. Knows no daemon."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Self

from tests.channels.discord_platform import DiscordPlatform
from tests.channels.discord_shapes import HALL, NAMED, TOKEN, alone
from tests.channels.stages import Stage


class DiscordStage(Stage):
    """The gateway, and the calls of a bot."""

    name = "discord"
    limit = 2000
    keyed = True

    def __init__(self, workspace: Path) -> None:
        super().__init__(workspace)
        self.platform = DiscordPlatform()
        self.platform.names = self.names

    async def __aenter__(self) -> Self:
        await self.platform.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.platform.stop()

    @property
    def doubts(self) -> bool:
        return True  # it knows a key for some minutes only

    def options(self) -> dict[str, Any]:
        return {"base_url": self.platform.url}

    def secrets(self) -> dict[str, str]:
        return {"DISCORD_BOT_TOKEN": TOKEN}

    def say(self, text: str, *, person: int = 1, twice: bool = False, photo: bytes = b"") -> None:
        message = self.platform.say(person, text, photo=photo)
        if twice:
            self.platform.announce(message)

    def call(self, text: str, *, person: int = 1, named: bool) -> None:
        self.platform.say(person, f"{NAMED} {text}" if named else text, room=HALL)

    def heard(self, person: int = 1) -> list[str]:
        return self.platform.texts(alone(person))

    def told(self, people: Collection[int]) -> int:
        return sum(self.platform.written[alone(person)] for person in people)

    def overheard(self) -> list[str]:
        return self.platform.texts(HALL)

    def files(self) -> list[tuple[str, bytes]]:
        return [file for each in self.platform.sent for file in each["attachments"]]

    def put_off(self, seconds: float) -> None:
        self.platform.troubles.append(seconds)

    def block(self, person: int) -> None:
        self.platform.blocked.add(alone(person))

    def lose_answer(self) -> None:
        self.platform.troubles.append("lost")

    @property
    def attempts(self) -> int:
        return self.platform.posts

    async def leave(self) -> None:
        await self.platform.stop()

    async def come_back(self) -> None:
        await self.platform.start()

    async def until(self, fact: Callable[[], object]) -> None:
        await self.platform.until(fact)
