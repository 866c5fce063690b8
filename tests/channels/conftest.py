"""A daemon that people reach by Telegram: the real client, on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import pytest

from picklebot.testing import FakeClock
from picklebot.testing.telegram_api import TOKEN, TelegramApi
from tests.flow.conftest import Daemon, agent, channel, clock, configure, daemon, stored

__all__ = ["Daemon", "agent", "channel", "clock", "configure", "daemon", "stored"]


class Watched(Protocol):
    """Something that says when it has changed."""

    async def until(self, fact: Callable[[], object]) -> None:
        """Wait until `fact` holds."""
        ...


async def as_time_passes(clock: FakeClock, place: Watched, fact: Callable[[], object], *, seconds: float = 60) -> None:
    """Wait for a fact that takes its time, `seconds` a look."""
    for _ in range(100):
        with suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                return await place.until(fact)
        clock.advance(seconds=seconds)
    raise TimeoutError


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramApi]:
    async with TelegramApi() as api:
        yield api


@pytest.fixture
def settings(workspace: Path, telegram: TelegramApi) -> Callable[..., None]:
    """Write the settings of the channel: `settings(allow=[42])`."""

    def write(**options: object) -> None:
        lines = "".join(f", {name}: {value}" for name, value in {"poll_seconds": 5, **options}.items())
        with (workspace / "config.yaml").open("a") as file:
            file.write(f"channels: {{telegram: {{enabled: true, base_url: '{telegram.url}'{lines}}}}}\n")
        (workspace / ".env").write_text(f"TELEGRAM_BOT_TOKEN={TOKEN}\n")
        (workspace / ".env").chmod(0o600)

    return write
