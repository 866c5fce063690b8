"""Two programs that keep each other talking are stopped at the gate, on every channel alike (S25)."""

from functools import partial
from pathlib import Path

from picklebot.testing import FakeChannel, FakeClock
from picklebot.testing.telegram_api import TelegramApi
from tests.channels.test_who_may_talk import STRANGER, Settings, ask, pair
from tests.cli.inside import command
from tests.flow.conftest import Daemon
from tests.flow.test_budgets import Endless, settle


async def test_a_loop_is_stopped_once_in_words_survives_a_restart_and_goes_on_when_the_owner_says_so(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, clock: FakeClock, workspace: Path
) -> None:
    settings(allow=[42], guest_rate=1000)
    settle(workspace, "loop_exchanges: 5")
    terminal = FakeChannel("cli")

    def heard() -> list[str]:
        return telegram.texts(STRANGER)[1:]

    def said(times: int) -> bool:
        return len(heard()) == times

    async with daemon(Endless("And you?"), terminal) as app:
        await pair(telegram, terminal)
        for n in range(1, 7):
            clock.advance(seconds=1)
            telegram.say(f"I am fine, {n}", user=STRANGER)
            await telegram.until(partial(said, n))
        assert heard()[:5] == ["And you?"] * 5
        assert heard()[5].startswith("I stop here: 5 messages came within 10 minutes")
        assert (await terminal.heard())[1].startswith(f"I stopped answering telegram:{STRANGER}:{STRANGER}: 5 messages")
        telegram.say("I am fine, 7", user=STRANGER)
        telegram.say("hello", user=42)
        await telegram.until(lambda: telegram.texts(42) == ["And you?"])
        [held] = [event for _, event in await app.store.log.after(0) if getattr(event, "content", "") == "I am fine, 6"]
        why = (await command(workspace, "why", held.id)).stdout
        assert "parked until 2030-01-02" in why
        assert "as between two programs" in why

    async with daemon(Endless("And you?"), terminal):
        telegram.say("I am fine, 8", user=STRANGER)
        await telegram.until(lambda: telegram.confirmed == 10)
        assert len(heard()) == 6, "told once, and silent since"
        shown = await ask(terminal, "/approve")
        await telegram.until(lambda: heard()[6:] == ["And you?"] * 3)
        assert shown == "I answer there again; 1 turn goes on now."
