"""What every channel promises, whatever its platform is."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from picklebot.core.messages import Message
from picklebot.core.people import typed_code
from picklebot.testing import FakeChannel, FakeClock, ScriptedModel
from tests.channels.burst import asked, outage_and_burst
from tests.channels.conftest import as_time_passes
from tests.channels.platforms import ALL, CHATS
from tests.channels.stages import Stage
from tests.cli.inside import command
from tests.flow.conftest import Daemon

CODE = "\n".join(f"print({number})  # 😀 {'x' * 10}" for number in range(350))
LONG = f"Here it is, in **two** words.\n\n```python\n{CODE}\n```\n\nThat is all."
FILE = Message("assistant", ({"type": "tool_use", "id": "c1", "name": "send_file", "input": {"path": "report.pdf"}},))
every_channel = pytest.mark.parametrize("stage", ALL, indirect=True, ids=lambda kind: str(kind.name))
every_chat = pytest.mark.parametrize("stage", CHATS, indirect=True, ids=lambda kind: str(kind.name))


@pytest.fixture
async def stage(request: pytest.FixtureRequest, workspace: Path) -> AsyncIterator[Stage]:
    kind: type[Stage] = request.param
    async with kind(workspace) as platform:
        yield platform


@every_channel
async def test_a_conversation_with_a_long_reply_and_files_both_ways(
    daemon: Daemon, stage: Stage, workspace: Path
) -> None:
    stage.configure([1])
    (workspace / "report.pdf").write_bytes(b"%PDF-1.7")
    model = ScriptedModel("hello", "first", "second", LONG, "a picture", FILE, "there")
    async with daemon(model):
        stage.say("hi", twice=True)
        await stage.until(lambda: stage.heard() == ["hello"])
        stage.say("one")
        stage.say("two")
        await stage.until(lambda: stage.heard()[1:] == ["first", "second"])
        stage.say("a long one")
        await stage.until(lambda: stage.heard()[-1].endswith("That is all."))
        parts = stage.heard()[3:]
        stage.say("look", photo=b"\xff\xd8 a picture")
        await stage.until(lambda: stage.heard()[-1] == "a picture")
        stage.say("the report")
        await stage.until(lambda: stage.heard()[-1] == "there")
    assert [asked(request) for request in model.requests[:3]] == ["hi", "one", "two"], "once, in order"
    assert len("".join(parts)) > 9_000
    assert [line for part in parts for line in part.splitlines() if line.startswith("print")] == CODE.splitlines()
    assert stage.limit is None or (len(parts) > 2 and all(len(part) <= stage.limit for part in parts))
    assert all(part.count("```") % 2 == 0 for part in parts), "a block that is cut is closed and opened again"
    assert "look\n[File: attachments/" in model.requests[4].messages[-1].text
    [kept] = (workspace / "attachments").rglob("*.jpg")
    assert kept.read_bytes() == b"\xff\xd8 a picture"
    assert stage.files() == [("report.pdf", b"%PDF-1.7")]


@every_chat
async def test_what_a_platform_does_not_take_delays_nobody_else_and_is_never_lost_in_silence(
    daemon: Daemon, stage: Stage, workspace: Path, clock: FakeClock
) -> None:
    stage.configure([1, 2, 3, 4])
    async with daemon(ScriptedModel("for one", "for nobody", "for three", "for four")):
        stage.put_off(100)
        stage.say("hi", person=1)
        await stage.until(lambda: stage.attempts == 1)
        stage.block(2)
        stage.say("hi", person=2)
        await stage.until(lambda: stage.attempts == 2)
        stage.say("hi", person=4)
        await stage.until(lambda: stage.heard(4) == ["for three"])
        clock.advance(seconds=90)
        stage.lose_answer()
        stage.say("hi", person=3)
        await stage.until(lambda: stage.heard(3) == ["for four"])
        assert not stage.heard(1), "it asked for a hundred seconds"
        await as_time_passes(clock, stage, lambda: stage.heard(1) == ["for one"], seconds=5)
        await as_time_passes(clock, stage, lambda: stage.attempts >= 6, seconds=5)
        dead = (await command(workspace, "events", "dead")).stdout
    assert "for nobody" in dead
    assert stage.heard(3) == ["for four"] * (1 if stage.keyed else 2)
    with closing(sqlite3.connect(workspace / ".picklebot" / "picklebot.db")) as database:
        rows = database.execute("SELECT state, unknown FROM outbox ORDER BY seq").fetchall()
    assert rows == [("acked", 0), ("dead", 0), ("acked", 0), ("acked", 1 if stage.doubts else 0)]


@every_chat
async def test_in_company_only_what_is_meant_for_the_bot_is_heard_and_only_from_those_who_were_let_in(
    daemon: Daemon, stage: Stage
) -> None:
    stage.configure([1])
    async with daemon(model := ScriptedModel("at your service", "for the owner")):
        stage.call("lovely weather", named=False)
        stage.call("and for me?", person=9, named=True)
        stage.call("is it?", named=True)
        await stage.until(lambda: stage.overheard() == ["at your service"])
        stage.say("hi")
        await stage.until(lambda: stage.heard() == ["for the owner"])
    assert [asked(request) for request in model.requests] == ["is it?", "hi"]


@every_chat
async def test_an_empty_list_lets_nobody_in_and_a_stranger_gets_a_code_and_nothing_else_by_whatever_name(
    daemon: Daemon, stage: Stage
) -> None:
    stage.configure([])
    terminal = FakeChannel("cli")
    async with daemon(model := ScriptedModel("welcome", "hello, guest"), terminal):

        async def let_in(person: int, role: str) -> None:
            await stage.until(lambda: stage.heard(person))
            code = stage.heard(person)[0].partition("within the hour: ")[2].partition("\n")[0]
            assert typed_code(code) == code
            await terminal.say(f"/approve {code} {role}")
            assert f"is let in as {role}" in (await terminal.heard())[1]

        stage.names[1] = "Ann"
        stage.say("let me in")
        stage.say("/approve")
        await let_in(1, "owner")
        stage.say("hi")
        await stage.until(lambda: stage.heard()[1:] == ["welcome"])
        for name in ("Bob", "Ann"):
            stage.names[9] = name
            stage.say(f"it is me, {name}", person=9)
        await let_in(9, "guest")
        stage.say("hello", person=9)
        await stage.until(lambda: stage.heard(9)[1:] == ["hello, guest"])
    assert [asked(request) for request in model.requests] == ["hi", "hello"]


@every_channel
async def test_an_outage_of_a_day_and_a_burst_on_return_lose_and_double_nothing_and_hold_up_nobody_else(
    daemon: Daemon, stage: Stage, clock: FakeClock
) -> None:
    went = await outage_and_burst(stage, daemon, clock, count=300, people=6)
    assert not went.problems
    assert went.behind > 0, "who speaks elsewhere has an answer in the middle of it"
