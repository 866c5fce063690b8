"""Platforms as the contract of channels sees them: each on loopback, with the real client library on our side.

A stage has people, known by small numbers. Knows no daemon.
"""

import asyncio
import json
import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from picklebot.testing.clock import PATIENCE
from picklebot.testing.telegram_api import TOKEN, TelegramApi, Trouble

GROUP = -100


class Stage:
    """One platform. What it cannot do is not asked of it: see `test_contract`."""

    name = ""
    limit: int | None = None  #: characters of one message
    keyed = False  #: whether it drops a message whose key it has

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        self.names: dict[int, str] = {}  #: what people call themselves, where they say so

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    @property
    def doubts(self) -> bool:
        """Whether a message whose sending broke off is one that may be there twice."""
        return not self.keyed

    def options(self) -> dict[str, Any]:
        """Return the settings of the channel, beside `enabled` and `allow`."""
        return {}

    def secrets(self) -> dict[str, str]:
        """Return what .env holds."""
        return {}

    def configure(self, allow: Sequence[int]) -> None:
        """Write the settings: those people are owners."""
        settings = {"enabled": True, "allow": [self.person(each) for each in allow], **self.options()}
        with (self.workspace / "config.yaml").open("a") as file:
            file.write(f"channels: {{{self.name}: {json.dumps(settings)}}}\n")
        env = self.workspace / ".env"
        env.write_text("".join(f"{key}={value}\n" for key, value in self.secrets().items()))
        env.chmod(0o600)

    def person(self, number: int) -> str:
        """Return the platform's id of somebody."""
        return str(number)

    def say(self, text: str, *, person: int = 1, twice: bool = False, photo: bytes = b"") -> None:
        """Let somebody write to the bot alone; `twice`: the platform hands it over twice."""
        raise NotImplementedError

    def call(self, text: str, *, person: int = 1, named: bool) -> None:
        """Let somebody write where others read it; `named`: to the bot."""
        raise NotImplementedError

    def heard(self, person: int = 1) -> list[str]:
        """Return what somebody has read from the bot, alone."""
        raise NotImplementedError

    def told(self, people: Collection[int]) -> int:
        """Return how many messages these people have read from the bot, alone."""
        return sum(len(self.heard(person)) for person in people)

    def overheard(self) -> list[str]:
        """Return what the bot has said where others read it."""
        raise NotImplementedError

    def files(self) -> list[tuple[str, bytes]]:
        """Return the files that the bot has sent."""
        raise NotImplementedError

    def put_off(self, seconds: float) -> None:
        """Refuse the next message of the bot, with how long to wait."""
        raise NotImplementedError

    def block(self, person: int) -> None:
        """Let somebody hear the bot no more."""
        raise NotImplementedError

    def lose_answer(self) -> None:
        """Take the next message of the bot, and break the connection before it hears so."""
        raise NotImplementedError

    @property
    def attempts(self) -> int:
        """How many messages the bot has tried to send."""
        raise NotImplementedError

    async def leave(self) -> None:
        """Be gone; people go on writing."""

    async def come_back(self) -> None:
        """Be there again."""

    async def until(self, fact: Callable[[], object]) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(PATIENCE):
            while not fact():  # noqa: ASYNC110  (a folder has no bell)
                await asyncio.sleep(0.02)


class TelegramStage(Stage):
    """The Bot API."""

    name = "telegram"
    limit = 4096

    def __init__(self, workspace: Path) -> None:
        super().__init__(workspace)
        self.api = TelegramApi()

    async def __aenter__(self) -> Self:
        await self.api.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.api.stop()

    def options(self) -> dict[str, Any]:
        return {"base_url": self.api.url, "poll_seconds": 5}

    def secrets(self) -> dict[str, str]:
        return {"TELEGRAM_BOT_TOKEN": TOKEN}

    def say(self, text: str, *, person: int = 1, twice: bool = False, photo: bytes = b"") -> None:
        also: dict[str, Any] = {}
        if photo:
            self.api.files["photo"] = photo
            also = {"photo": [{"file_id": "photo", "width": 9, "height": 9}], "caption": text}
        name = self.names.get(person, "Ann")
        number = self.api.say("" if photo else text, user=person, name=name, also=also)
        if twice:
            self.api.repeat(number)

    def call(self, text: str, *, person: int = 1, named: bool) -> None:
        words = f"@pickle_bot {text}" if named else text
        entities = [{"type": "mention", "offset": 0, "length": 11}] if named else []
        self.api.say(words, user=person, chat=GROUP, also={"entities": entities})

    def heard(self, person: int = 1) -> list[str]:
        return self.api.texts(person)

    def told(self, people: Collection[int]) -> int:
        return len(self.api.shown)  # nobody else is there

    def overheard(self) -> list[str]:
        return self.api.texts(GROUP)

    def files(self) -> list[tuple[str, bytes]]:
        return [shown.file for shown in self.api.shown.values() if shown.file]

    def put_off(self, seconds: float) -> None:
        words = f"Too Many Requests: retry after {seconds:.0f}"
        self.api.trouble("sendMessage", Trouble(code=429, description=words, parameters={"retry_after": seconds}))

    def block(self, person: int) -> None:
        self.api.blocked.add(str(person))

    def lose_answer(self) -> None:
        self.api.trouble("sendMessage", Trouble(cut=True, after=True))

    @property
    def attempts(self) -> int:
        return len(self.api.called("sendMessage"))

    async def leave(self) -> None:
        await self.api.until(lambda: self.api.called("getUpdates"))
        await self.api.stop()

    async def come_back(self) -> None:
        await self.api.start()

    async def until(self, fact: Callable[[], object]) -> None:
        await self.api.until(fact)


class FileStage(Stage):
    """Folders. Nobody is a stranger in them, they are no place where others listen, and they put nothing off."""

    name = "file"

    def __init__(self, workspace: Path) -> None:
        super().__init__(workspace)
        self.folder = workspace / ".picklebot" / "files"
        (self.folder / "in").mkdir(parents=True)
        self._there = self.folder  # where it is now
        self._count = 0

    def person(self, number: int) -> str:
        return f"p{number}"

    def say(self, text: str, *, person: int = 1, twice: bool = False, photo: bytes = b"") -> None:
        self._count += 1
        message: dict[str, Any] = {"content": text, "from": self.person(person), "id": str(self._count)}
        if photo:
            (self._there / "in" / "photo.jpg").write_bytes(photo)
            message["files"] = ["photo.jpg"]
        for again in ("", "-again")[: 1 + twice]:
            draft = self._there / "in" / ".draft"
            draft.write_text(json.dumps(message))
            draft.rename(self._there / "in" / f"{self._count:05}{again}.json")

    def heard(self, person: int = 1) -> list[str]:
        replies = [json.loads(path.read_text()) for path in (self.folder / "out").glob("*.json")]
        mine = [reply for reply in replies if reply["to"] == self.person(person)]
        return [reply["content"] for reply in sorted(mine, key=lambda reply: str(reply["id"]))]

    def told(self, people: Collection[int]) -> int:
        out = self._there / "out"
        return sum(name.endswith(".json") for name in os.listdir(out)) if out.exists() else 0  # noqa: PTH208  (10,000)

    def files(self) -> list[tuple[str, bytes]]:
        sent = [path for path in (self.folder / "out").iterdir() if path.suffix != ".json"]
        return [(path.name.partition(".")[2], path.read_bytes()) for path in sent]

    async def leave(self) -> None:
        self._there = self.folder.with_name("elsewhere")
        self.folder.rename(self._there)
        self.folder.touch()  # so that nobody makes it anew

    async def come_back(self) -> None:
        self.folder.unlink()
        self._there.rename(self.folder)
        self._there = self.folder
