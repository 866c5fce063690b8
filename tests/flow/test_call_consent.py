"""Single tool calls that need the owner's word: asked once, bound to what would run, answered once (P17)."""

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from picklebot.models.base import ModelRequest
from picklebot.testing import FakeChannel, FakeClock, ScriptedModel
from tests.flow.conftest import Daemon
from tests.flow.players import Line, Players, asks, last, results_of, uses

PAYING = '''
from pathlib import Path
from picklebot.tools.base import Effect
from picklebot.tools.function import reach, tool

LEDGER = Path(__file__).parent / "ledger"

@tool
async def pay(amount: int, note: str = "") -> str:
    """Pay, once."""
    with LEDGER.open("a") as file:
        file.write(f"{amount}\\n")
    return f"paid {amount}"

@reach(sends=True)
@tool
async def publish(text: str) -> str:
    """Tell the world."""
    with LEDGER.open("a") as file:
        file.write(f"{text}\\n")
    return "published"
'''


@pytest.fixture
def ledger(workspace: Path) -> Path:
    (workspace / "tools").mkdir(exist_ok=True)
    (workspace / "tools" / "paying.py").write_text(PAYING)
    text = (workspace / "config.yaml").read_text()
    if "local: true" not in text:
        text += "tools: {local: true}\n"
    (workspace / "config.yaml").write_text(f"{text}approvals: {{pay: ask}}\n")
    return workspace / "tools" / "ledger"


def paid(ledger: Path) -> list[str]:
    return ledger.read_text().split() if ledger.exists() else []


async def heard(channel: FakeChannel) -> str:
    return (await channel.heard())[1]


def id_in(question: str) -> str:
    found = re.search(r"/approve (\w+)", question)
    assert found is not None
    return found[1]


async def test_a_call_waits_for_the_owner_is_shown_whole_and_made_once(
    daemon: Daemon,
    owner: FakeChannel,
    ledger: Path,
) -> None:
    async with daemon(ScriptedModel(uses("pay", amount=5, note="a\u202eb"), last), owner) as app:
        await owner.say("pay")
        question = await heard(owner)
        assert "amount: 5" in question
        assert "a<U+202E>b" in question
        counts = await app.store.ledger.counts()
        assert (counts.open, counts.running, paid(ledger)) == (1, 0, [])
        await owner.say(f"/approve {id_in(question)}")
        answers = {await heard(owner), await heard(owner)}
        assert "paid 5" in answers
        assert paid(ledger) == ["5"]
        for _ in range(2):  # clicked again
            await owner.say(f"/approve {id_in(question)}")
            assert "was approved" in await heard(owner)
        await owner.say(f"/deny {id_in(question)}")
        assert "was approved" in await heard(owner)
    assert paid(ledger) == ["5"]


async def test_a_refused_call_is_not_made_and_the_model_is_told(
    daemon: Daemon,
    owner: FakeChannel,
    ledger: Path,
) -> None:
    async with daemon(ScriptedModel(uses("pay", amount=5), last), owner):
        await owner.say("pay")
        name = id_in(await heard(owner))
        await owner.say(f"/deny {name}")
        answers = {await heard(owner), await heard(owner)}
        assert any("the owner refused this call" in each for each in answers)
        await owner.say(f"/approve {name}")
        assert "was refused" in await heard(owner)
    assert paid(ledger) == []


async def test_the_owner_is_told_where_a_turn_was_stopped_that_waited_for_them(
    daemon: Daemon,
    owner: FakeChannel,
    ledger: Path,
) -> None:
    async with daemon(ScriptedModel(uses("pay", amount=5)), owner):
        await owner.say("pay")
        name = id_in(await heard(owner))
        await owner.say("/stop")
        assert {await heard(owner), await heard(owner)} == {"Stopping.", "Stopped."}
        await owner.say(f"/approve {name}")
        assert "does not make the call: its turn has ended" in await heard(owner)
    assert paid(ledger) == []


async def test_a_question_outlives_a_restart_and_so_does_the_turn_that_waits(
    daemon: Daemon,
    owner: FakeChannel,
    ledger: Path,
) -> None:
    async with daemon(ScriptedModel(uses("pay", amount=5)), owner):
        await owner.say("pay")
        name = id_in(await heard(owner))
    again = FakeChannel("ws")
    async with daemon(ScriptedModel(last), again):
        await again.say(f"/approve {name}", key="m9")
        answers = {await heard(again), await heard(again)}
        assert "paid 5" in answers
    assert paid(ledger) == ["5"]


async def test_a_question_that_nobody_answers_expires_and_the_call_is_not_made(
    daemon: Daemon,
    owner: FakeChannel,
    ledger: Path,
    clock: FakeClock,
) -> None:
    async with daemon(ScriptedModel(uses("pay", amount=5), last), owner):
        await owner.say("pay")
        name = id_in(await heard(owner))
        clock.advance(days=1, seconds=1)
        assert "did not answer" in await heard(owner)
        await owner.say(f"/approve {name}")
        assert "no longer open" in await heard(owner)
    assert paid(ledger) == []


async def test_an_answer_to_one_call_is_none_to_the_next_with_the_same_words(
    daemon: Daemon,
    owner: FakeChannel,
    ledger: Path,
) -> None:
    async with daemon(ScriptedModel(uses("pay", amount=5), uses("pay", amount=5), last), owner):
        await owner.say("pay")
        first = id_in(await heard(owner))
        await owner.say(f"/approve {first}")
        answers = [await heard(owner), await heard(owner)]
        second = next(id_in(each) for each in answers if each.startswith("May I?"))
        assert second != first
        assert paid(ledger) == ["5"]
        await owner.say(f"/deny {second}")
        await heard(owner)
        await heard(owner)
    assert paid(ledger) == ["5"]


async def test_an_altered_question_cannot_be_approved_and_never_runs(
    daemon: Daemon,
    owner: FakeChannel,
    ledger: Path,
    workspace: Path,
) -> None:
    async with daemon(ScriptedModel(uses("pay", amount=5), last), owner):
        await owner.say("pay")
        name = id_in(await heard(owner))
        with sqlite3.connect(workspace / ".picklebot" / "picklebot.db") as connection:
            connection.execute("UPDATE proposals SET body = replace(body, '5', '500')")
        connection.close()
        await owner.say(f"/approve {name}")
        assert "altered" in await heard(owner)
    assert paid(ledger) == []


async def test_what_others_ask_for_is_put_before_the_owner_and_denied_where_there_is_none(
    daemon: Daemon,
    owner: FakeChannel,
    channel: FakeChannel,
    ledger: Path,
) -> None:
    model = ScriptedModel(uses("pay", amount=5), last, "hello", uses("pay", amount=7), last)
    async with daemon(model, owner, channel):
        await channel.say("pay")
        assert "has not spoken anywhere yet" in await heard(channel)
        await owner.say("hi")
        assert await heard(owner) == "hello"
        await channel.say("pay")
        assert "until the owner has agreed" in await heard(channel)
        question = await heard(owner)
        assert "amount: 7" in question
        await channel.say(f"/approve {id_in(question)}")
        assert "Only the owner" in await heard(channel)
        assert paid(ledger) == []
        await owner.say(f"/approve {id_in(question)}")
        assert "makes the call" in await heard(owner)
        assert await heard(channel) == "paid 7"
    assert paid(ledger) == ["7"]


async def test_an_agent_that_is_called_asks_too_and_its_caller_waits_without_a_slot(
    daemon: Daemon,
    owner: FakeChannel,
    ledger: Path,
    agents: Callable[..., None],
) -> None:
    def cookie(request: ModelRequest) -> Line:
        return last(request) if results_of(request) else uses("pay", amount=5)

    agents(pickle={"approvals": "{pay: ask}"}, cookie={"description": "pays", "approvals": "{pay: allow}"})
    async with daemon(Players(pickle=asks("cookie"), cookie=cookie), owner) as app:
        await owner.say("pay")
        told = [await heard(owner), await heard(owner)]
        question = next(each for each in told if "/approve" in each)
        assert (await app.store.ledger.counts()).running == 0
        await owner.say(f"/approve {id_in(question)}")
        answers = [await heard(owner), await heard(owner)]
        assert any("paid 5" in each for each in answers)
    assert paid(ledger) == ["5"]


@pytest.mark.usefixtures("marked")
async def test_sending_is_asked_for_in_a_turn_that_has_read_private_things_and_things_from_outside(
    daemon: Daemon,
    owner: FakeChannel,
    ledger: Path,
) -> None:
    model = ScriptedModel(
        *(uses("diary"), uses("publish", text="one"), "first"),
        *(uses("web"), uses("publish", text="two"), last),
    )
    async with daemon(model, owner):
        await owner.say("x")
        assert await heard(owner) == "first"
        await owner.say("y")
        question = await heard(owner)
        assert "things from outside" in question
        assert paid(ledger) == ["one"]
        await owner.say(f"/deny {id_in(question)}")
        await heard(owner)
        await heard(owner)
    assert paid(ledger) == ["one"]


async def test_a_rule_of_an_agent_for_a_tool_that_does_not_exist_is_an_error(
    daemon: Daemon, channel: FakeChannel, agent: Callable[..., None]
) -> None:
    agent("echo", approvals="{bahs: deny}")
    async with daemon(ScriptedModel(), channel):
        await channel.say("x")
        assert "did you mean 'bash'" in await heard(channel)
