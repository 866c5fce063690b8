"""Telegram and a daemon that is killed while it shows a reply, while it ends it, and between "sent" and "noted"."""

import asyncio
import signal
import sqlite3
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from picklebot.core.messages import Message
from picklebot.testing.clock import PATIENCE
from picklebot.testing.faults import Fault, stall
from picklebot.testing.messages_api import MessagesApi
from picklebot.testing.telegram_api import TOKEN, TelegramApi, Trouble
from tests.crash.daemons import KEY_VARIABLE, Start

pytestmark = pytest.mark.asyncio(loop_scope="package")

STORY = "Once upon a time there was a pickle." + " It lived in a jar." * 20
CONFIG = """\
default_agent: echo
model: {{provider: anthropic, name: claude-sonnet-5-5, base_url: "{model}", api_key_env: {key}}}
gateway: {{enabled: false}}
channels: {{telegram: {{enabled: true, base_url: "{telegram}", poll_seconds: 5, allow: [42]}}}}
delivery: {{first_delay: 0.02, max_delay: 0.1}}
"""


def begun(request: Mapping[str, Any]) -> Fault:
    """Begin a story, and fall silent."""
    return Fault(name="begun", plan=stall(after_events=4).plan, message=Message.assistant(STORY))


async def test_a_killed_daemon_ends_what_it_began_to_show_and_knows_which_reply_may_be_there_twice(
    start: Start, workspace: Path, tmp_path: Path
) -> None:
    async with TelegramApi() as telegram, MessagesApi(begun, STORY, "short") as model:
        settings = CONFIG.format(model=model.url, telegram=telegram.url, key=KEY_VARIABLE)
        (workspace / "config.yaml").write_text(settings)
        (workspace / ".env").write_text(f"TELEGRAM_BOT_TOKEN={TOKEN}\n")
        (workspace / ".env").chmod(0o600)

        @asynccontextmanager
        async def life() -> AsyncGenerator[None, None]:
            daemon = await start(workspace, tmp_path / "log", key="any")
            try:
                yield
            finally:
                daemon.signal(signal.SIGKILL)
                await daemon.ended.wait()

        async with life():
            telegram.say("a story")
            await until(lambda: rows(workspace, "SELECT draft FROM drafts"))
        assert telegram.texts(42)[0].endswith(" …"), "it is killed while the reply grows"
        telegram.trouble("editMessageText", Trouble(hang=True, after=True))
        async with life():
            await telegram.until(lambda: telegram.texts(42) == [STORY])
            await until(lambda: rows(workspace, OUTBOX) == [("sending", 0)])
        async with life():
            await until(lambda: rows(workspace, OUTBOX) == [("acked", 1)])
            assert telegram.texts(42) == [STORY], "it is one message, over three lives"
            assert not rows(workspace, "SELECT draft FROM drafts"), "what comes next is not written over it"
            telegram.trouble("sendMessage", Trouble(hang=True, after=True))
            telegram.say("a word")
            await telegram.until(lambda: telegram.texts(42)[1:] == ["short"])
        async with life():
            await until(lambda: rows(workspace, OUTBOX)[1:] == [("acked", 1)])
        assert telegram.texts(42)[1:] == ["short", "short"], "Telegram takes no key"
        assert model.request_count == 3


OUTBOX = "SELECT state, unknown FROM outbox ORDER BY seq"


def rows(workspace: Path, query: str) -> list[tuple[Any, ...]]:
    try:
        with closing(sqlite3.connect(workspace / ".picklebot" / "picklebot.db")) as database:
            return database.execute(query).fetchall()
    except sqlite3.OperationalError:  # there is none yet
        return []


async def until(fact: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not fact():  # noqa: ASYNC110  (a database has no bell)
            await asyncio.sleep(0.02)
