"""Slack as the contract of channels sees it. Knows no daemon."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Self

from tests.channels.slack_platform import APP_TOKEN, BOT, HALL, TOKEN, SlackPlatform
from tests.channels.stages import Stage


class SlackStage(Stage):
    """Socket Mode, and the methods of an app."""

    name = "slack"
    limit = 4000
    keyed = True

    def __init__(self, workspace: Path) -> None:
        super().__init__(workspace)
        self.platform = SlackPlatform()
        self.platform.names = self.names

    async def __aenter__(self) -> Self:
        await self.platform.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.platform.stop()

    def options(self) -> dict[str, Any]:
        return {"base_url": f"{self.platform.url}/api"}

    def secrets(self) -> dict[str, str]:
        return {"SLACK_BOT_TOKEN": TOKEN, "SLACK_APP_TOKEN": APP_TOKEN}

    def person(self, number: int) -> str:
        return f"U{number}"

    def say(self, text: str, *, person: int = 1, twice: bool = False, photo: bytes = b"") -> None:
        self.platform.say(person, text, twice=twice, photo=photo)

    def call(self, text: str, *, person: int = 1, named: bool) -> None:
        self.platform.say(person, f"<@{BOT}> {text}" if named else text, room=HALL)

    def heard(self, person: int = 1) -> list[str]:
        return self.platform.texts(f"D{person}")

    def told(self, people: Collection[int]) -> int:
        return sum(self.platform.written[f"D{person}"] for person in people)

    def overheard(self) -> list[str]:
        return self.platform.texts(HALL)

    def files(self) -> list[tuple[str, bytes]]:
        return [(name, content) for _, name, content in self.platform.shared]

    def put_off(self, seconds: float) -> None:
        self.platform.troubles.setdefault("chat.postMessage", []).append(seconds)

    def block(self, person: int) -> None:
        self.platform.closed[f"D{person}"] = "is_archived"

    def lose_answer(self) -> None:
        self.platform.troubles.setdefault("chat.postMessage", []).append("lost")

    @property
    def attempts(self) -> int:
        looks = [given for given in self.platform.called("conversations.history") if given.get("include_all_metadata")]
        return len(self.platform.called("chat.postMessage")) + len(looks)  # it is looked for instead of sent again

    async def leave(self) -> None:
        self.platform.forgets = True
        await self.platform.stop()

    async def come_back(self) -> None:
        await self.platform.start()

    async def until(self, fact: Callable[[], object]) -> None:
        await self.platform.until(fact)
