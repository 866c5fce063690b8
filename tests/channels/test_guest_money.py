"""What guests may cost (S25): each in a day, wherever they speak, and all together; never at the owner's expense."""

from pathlib import Path

import pytest

from picklebot.testing import FakeChannel
from picklebot.testing.telegram_api import TelegramApi
from tests.channels.test_who_may_talk import STRANGER, Settings, ask, group, pair
from tests.cli.inside import command, document
from tests.flow.conftest import Daemon, Stored
from tests.flow.test_budgets import Endless, costing, settle, slowly

OTHER = 667
REFUSED = "is used up"


def refusals(telegram: TelegramApi, *chats: int) -> int:
    return sum(REFUSED in text for chat in chats for text in telegram.texts(chat))


def served(telegram: TelegramApi, *chats: int) -> int:
    return sum(text == "done" for chat in chats for text in telegram.texts(chat))


async def test_a_guests_day_has_a_ceiling_in_private_and_in_groups_together(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, stored: Stored, workspace: Path
) -> None:
    settings(allow=[42])
    settle(workspace, "guest_day_usd: 0.3, turn_usd: 0.3, max_concurrency: 64")
    terminal = FakeChannel("cli")

    async def spent() -> float:
        async with stored() as store:
            return {row.key: row.cost_usd for row in await store.ledger.spend("person")}[f"telegram:{STRANGER}"]

    async with daemon(Endless(slowly(costing(0.08))), terminal):
        await pair(telegram, terminal)
        for chat in range(-108, -100):  # eight groups at once, and in private
            telegram.say(**{**group("@pickle_bot and me?"), "chat": chat}, user=STRANGER)
        telegram.say("and here?", user=STRANGER)
        chats = [*range(-108, -100), STRANGER]
        await telegram.until(lambda: served(telegram, *chats) == 3)
        await telegram.until(lambda: refusals(telegram, *chats) == 6)
        telegram.say("hello", user=42)
        await telegram.until(lambda: telegram.texts(42) == ["done"])
        budgets = await ask(terminal, "/usage")
        assert f"budget of the guest telegram:{STRANGER}: $0.0600 left of $0.30" in budgets
        assert "budget of all guests: $2.7600 left of $3.00" in budgets
    assert await spent() == pytest.approx(0.24), "parallel turns never pass the ceiling"
    rows = {row["key"]: row["cost_usd"] for row in (await document(workspace, "usage", "--by", "person"))["rows"]}
    assert rows == {"telegram:42": pytest.approx(0.08), f"telegram:{STRANGER}": pytest.approx(0.24)}
    assert f"telegram:{STRANGER}" in (await command(workspace, "usage", "--by", "person")).stdout

    async with daemon(Endless(costing(0.07)), terminal):  # a restart forgets nothing of it
        telegram.say(**{**group("@pickle_bot once more"), "chat": -200}, user=STRANGER)
        await telegram.until(lambda: refusals(telegram, -200))
        assert "7 turns go on now" in await ask(terminal, "/approve"), "the owner lifts it for today"
        await telegram.until(lambda: served(telegram, -200, *chats) == 7)


async def test_all_guests_together_have_a_ceiling_and_the_owner_is_served(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, workspace: Path
) -> None:
    settings(allow=[42])
    settle(workspace, "guests_day_usd: 0.2")
    terminal = FakeChannel("cli")
    async with daemon(Endless(costing(0.15)), terminal):
        for person in (STRANGER, OTHER):
            await pair(telegram, terminal, person=person)
        telegram.say("hello", user=STRANGER)
        await telegram.until(lambda: "done" in telegram.texts(STRANGER))
        telegram.say("hello", user=OTHER)
        await telegram.until(lambda: refusals(telegram, OTHER))
        assert "today's budget of all guests of $0.20 is used up ($0.15 spent)" in telegram.texts(OTHER)[-1]
        telegram.say("hello", user=42)
        await telegram.until(lambda: telegram.texts(42) == ["done"])
