"""Slack, from the platform's side: what people write, what they see, and what Slack may do to it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from picklebot.channels.slack import create
from picklebot.core.source import Source
from picklebot.errors import ConfigError
from picklebot.testing import FakeChannel, FakeClock, ScriptedModel
from tests.channels.burst import asked as words
from tests.channels.conftest import as_time_passes
from tests.channels.slack_platform import APP_TOKEN, BOT, HALL, TEAM, TOKEN, SlackPlatform
from tests.channels.slack_stage import SlackStage
from tests.channels.test_telegram import until_said
from tests.channels.test_telegram_live import OPENING, REST, Storyteller
from tests.cli.inside import command
from tests.cli.serving import PATIENCE, serving
from tests.flow.conftest import Daemon
from tests.flow.test_file_proposals import JOB, write

ANN = Source("slack", ("U1", "U1"))


@pytest.fixture
async def stage(workspace: Path) -> AsyncIterator[SlackStage]:
    async with SlackStage(workspace) as platform:
        platform.configure([1])
        yield platform


@pytest.fixture
def slack(stage: SlackStage) -> SlackPlatform:
    return stage.platform


def asked(model: ScriptedModel) -> list[str]:
    """Return what was asked, without what is said beside it."""
    return [words(request) for request in model.requests]


async def test_one_message_is_one_message_however_often_and_by_whichever_way_it_comes(
    daemon: Daemon, slack: SlackPlatform
) -> None:
    model = ScriptedModel("**hello** <!channel> & https://evil.example", "in the hall", "bye")
    async with daemon(model):
        slack.say(1, "hi & <b>", twice=True)
        await slack.until(lambda: slack.texts("D1") == ["*hello* <!channel> & https://evil.example"])
        ts = slack.say(1, f"<@{BOT}> and here?", room=HALL)
        slack.tell({"type": "message", "channel": HALL, "user": "U1", "text": f"<@{BOT}> and here?", "ts": ts})
        await slack.until(lambda: slack.texts(HALL) == ["in the hall"])
        slack.say(2, "I am a bot", bot_id="B7")
        slack.say(1, "", subtype="message_changed", message={"text": "hi!"}, previous_message={"text": "hi"})
        slack.say(1, "", subtype="message_deleted", deleted_ts="1.2")
        slack.say(1, "that is all")
        await slack.until(lambda: slack.texts("D1")[1:] == ["bye"])
        await slack.until(lambda: len(slack.acknowledged) == len(slack.handed))
    assert asked(model) == ["hi & <b>", "and here?", "that is all"]
    first = slack.messages[1]
    assert first["text"] == "*hello* &lt;!channel&gt; &amp; https://evil.example", "it calls nobody"
    assert first["unfurl"] == (False, False)
    assert [each.get("thread_ts") for each in slack.messages if each["user"] == BOT] == [None, ts, None]


async def test_a_message_is_acknowledged_only_when_it_is_on_disk_and_may_come_again_until_then(
    daemon: Daemon, slack: SlackPlatform, clock: FakeClock
) -> None:
    slack.hold.clear()  # the photo does not come, and without it nothing is accepted
    slack.files["notes"] = "https://evil.example/notes"
    elsewhere = {"id": "F7", "name": "notes", "mimetype": "text/html", "url_private": f"{slack.url}/files/notes"}
    async with daemon(model := ScriptedModel("nice", "hm")):
        slack.say(1, "look", photo=b"\xff\xd8")
        await slack.until(lambda: slack.fetched)
        await slack.sockets[0].close()
        await as_time_passes(clock, slack, lambda: slack.sockets and len(slack.handed) == 2, seconds=1)
        assert not slack.acknowledged
        slack.hold.set()
        await slack.until(lambda: slack.texts("D1") == ["nice"])
        await slack.until(lambda: slack.acknowledged == [slack.handed[1]["envelope_id"]])
        slack.say(1, "", subtype="file_share", files=[elsewhere])
        await slack.until(lambda: slack.texts("D1")[1:] == ["hm"])
    assert asked(model)[0].startswith("look\n[File: attachments/")
    assert asked(model)[1] == "[A file that did not come through, “notes”: it is not kept at Slack]"


async def test_a_thread_is_a_place_of_its_own_and_what_was_missed_comes_before_what_is_said_there_now(
    daemon: Daemon, slack: SlackPlatform
) -> None:
    model = ScriptedModel(*[lambda request: words(request).upper()] * 6)
    async with daemon(model):
        top = slack.say(1, f"<@{BOT}>, first", room=HALL)
        await slack.until(lambda: slack.texts(HALL) == ["FIRST"])
        slack.say(1, f"<@{BOT}> second", room=HALL, thread=top)
        await slack.until(lambda: slack.texts(HALL)[1:] == ["SECOND"])
        slack.say(1, "alone")
        await slack.until(lambda: slack.texts("D1") == ["ALONE"])
    slack.forgets = True
    slack.say(1, f"<@{BOT}> third", room=HALL, thread=top)
    slack.say(1, f"nobody named <@{BOT}x>", room=HALL, thread=top)
    slack.say(1, "missed")
    slack.forgets = False
    slack.say(1, "and more")  # this is handed over at once
    slack.troubles["conversations.replies"] = [0, 0]  # it may be asked again at once, and has to be
    async with daemon(model):
        await slack.until(lambda: slack.texts(HALL)[2:] == ["THIRD"])
        await slack.until(lambda: slack.texts("D1")[1:] == ["MISSED", "AND MORE"])
    known = {words(request): len(request.messages) for request in model.requests}
    assert known == {"first": 1, "second": 3, "alone": 1, "third": 5, "missed": 3, "and more": 5}
    assert {each.get("thread_ts") for each in slack.messages if each["channel"] == HALL} == {None, top}


async def test_somebody_of_another_workspace_is_somebody_else(daemon: Daemon, slack: SlackPlatform) -> None:
    async with daemon(model := ScriptedModel("hello")):
        slack.say(1, "let me in", room="D9", team="T0OTHER", user_team="T0OTHER")
        slack.tell({**slack.messages[-1], "channel_type": "im"})
        await slack.until(lambda: slack.texts("D9"))
        assert "within the hour: " in slack.texts("D9")[0]
        slack.say(1, "hi")
        await slack.until(lambda: slack.texts("D1") == ["hello"])
    assert asked(model) == ["hi"]


async def test_a_connection_that_slack_replaces_is_read_to_its_end(daemon: Daemon, slack: SlackPlatform) -> None:
    async with daemon(model := ScriptedModel("one", "two", "three")):
        await slack.until(lambda: slack.sockets)
        slack.disconnect("warning")
        slack.say(1, "on the old one")
        await slack.until(lambda: len(slack.sockets) == 2)
        slack.say(1, "on the new one")
        await slack.until(lambda: slack.texts("D1") == ["one", "two"])
        await slack.sockets[0].close()
        slack.say(1, "and after")
        await slack.until(lambda: slack.texts("D1")[2:] == ["three"])
        assert len(slack.called("apps.connections.open")) == 2
    assert asked(model) == ["on the old one", "on the new one", "and after"]


async def test_trouble_with_slack_is_said_in_words_and_mends_itself(
    daemon: Daemon, slack: SlackPlatform, workspace: Path, clock: FakeClock
) -> None:
    page = web.Response(text="We are moving, come back later.")
    slack.troubles["auth.test"] = ["invalid_auth", page, "missing_scope"]
    slack.greeting = {"type": "disconnect", "reason": "link_disabled"}
    troubles = ["Slack does not know this token (invalid_auth)", "an answer that is none", "lacks the scope"]
    async with daemon(ScriptedModel("back")):
        for expected in [*troubles, "Socket Mode is off for this app"]:
            found = await until_said(workspace, expected)
            assert found.returncode == 1
            before = len(slack.called("auth.test"))
            await as_time_passes(clock, slack, lambda before=before: len(slack.called("auth.test")) > before)  # type: ignore[misc]
        slack.greeting = {"type": "hello"}
        await as_time_passes(clock, slack, lambda: slack.sockets)
        slack.say(1, "hi")
        await as_time_passes(clock, slack, lambda: slack.texts("D1") == ["back"])
        assert "away" not in (await command(workspace, "status")).stdout


async def test_a_command_and_a_button_are_obeyed_for_whoever_gives_them(daemon: Daemon, slack: SlackPlatform) -> None:
    async with daemon(model := ScriptedModel()):
        await slack.until(lambda: slack.sockets)
        for number, person in enumerate((1, 9)):
            given = {"command": "/pickle", "text": "session", "user_id": f"U{person}", "channel_id": HALL}
            slack.hand({"type": "slash_commands", "payload": {**given, "team_id": TEAM, "trigger_id": str(number)}})
        await slack.until(lambda: slack.texts("D1") and slack.texts("D9"))
    assert not model.requests
    assert "there is no session here yet" in slack.texts("D1")[0]
    assert "within the hour" in slack.texts("D9")[0]
    assert not slack.texts(HALL)


async def test_a_reply_grows_in_one_message_and_slack_may_ask_to_wait(
    daemon: Daemon, slack: SlackPlatform, clock: FakeClock
) -> None:
    slack.troubles["chat.update"] = [1.0]
    async with daemon(model := Storyteller()):
        slack.say(1, "a story")
        await as_time_passes(clock, slack, lambda: slack.texts("D1") == [OPENING + " …"], seconds=5)
        model.go_on.set()
        await as_time_passes(clock, slack, lambda: slack.texts("D1") == [OPENING + REST], seconds=5)
    assert len(slack.called("chat.postMessage")) == 1


async def test_of_a_reply_that_broke_off_only_what_is_not_there_is_sent_also_after_a_crash(
    daemon: Daemon, slack: SlackPlatform, clock: FakeClock, workspace: Path
) -> None:
    slack.troubles["chat.postMessage"] = [None, "lost"]
    long = "\n\n".join(f"{number} {'x' * 2500}" for number in range(3))
    async with daemon(ScriptedModel(long), grace=0.1):
        slack.say(1, "a long one")
        await slack.until(lambda: len(slack.texts("D1")) == 2)
    async with daemon(ScriptedModel("a file follows")):
        await as_time_passes(clock, slack, lambda: len(slack.texts("D1")) == 3, seconds=1)
    assert [text[0] for text in slack.texts("D1")] == ["0", "1", "2"]
    slack.scopes = "chat:write"
    slack.troubles["chat.postMessage"] = ["lost"]
    async with daemon(ScriptedModel("twice")):
        await slack.until(lambda: slack.sockets)
        slack.say(1, "and without the scope to look?")
        await as_time_passes(clock, slack, lambda: slack.texts("D1")[3:] == ["twice", "twice"], seconds=1)
        await as_time_passes(clock, slack, lambda: slack.acknowledged)


async def test_a_kill_between_a_reply_and_the_word_that_it_arrived_loses_and_doubles_nothing(
    slack: SlackPlatform, workspace: Path
) -> None:
    async with serving(workspace) as server:
        slack.say(1, "say one")
        await slack.until(lambda: len(slack.texts("D1")) == 1, seconds=PATIENCE)
        slack.troubles["chat.postMessage"] = ["stall"]
        slack.hold.clear()
        slack.say(1, "say two")
        await slack.until(lambda: len(slack.texts("D1")) == 2)
        slack.say(1, "say three")
        await asyncio.to_thread(server.kill)
        slack.hold.set()
        slack.say(1, "say four")
        await asyncio.to_thread(server.start)
        await slack.until(lambda: len(slack.texts("D1")) == 4, seconds=PATIENCE)
        slack.say(1, "say five")
        await slack.until(lambda: len(slack.texts("D1")) == 5)
        await slack.until(lambda: len({*slack.acknowledged}) == len({each["envelope_id"] for each in slack.handed}))
    assert [text.split()[-1].strip(".") for text in slack.texts("D1")] == ["one", "two", "three", "four", "five"]


async def test_what_waits_for_the_owner_comes_with_buttons_that_answer_it_once(
    daemon: Daemon, slack: SlackPlatform, workspace: Path
) -> None:
    other = FakeChannel("fake")
    async with daemon(ScriptedModel("hello", write("crons/brief/CRON.md", JOB), "It waits for the owner."), other):
        slack.say(1, "hi")
        await slack.until(lambda: slack.texts("D1") == ["hello"])
        await other.say("a job, please")
        await slack.until(lambda: len(slack.texts("D1")) == 2)
        ts = slack.messages[-1]["ts"]
        assert [each["text"]["text"] for each in slack.buttons(ts)] == ["Approve", "Deny"]
        slack.press(ts, "Approve", 666)
        await slack.until(lambda: len(slack.acknowledged) == len(slack.handed))
        assert not (workspace / "crons" / "brief").exists()
        slack.press(ts, "Approve", 1)
        await slack.until(lambda: "is in force" in slack.texts("D1")[-1])
        await slack.until(lambda: not slack.buttons(ts))
        assert (workspace / "crons" / "brief" / "CRON.md").read_text() == JOB


async def test_a_name_in_the_list_is_said_to_let_nobody_in(stage: SlackStage, workspace: Path) -> None:
    text = (workspace / "config.yaml").read_text()
    (workspace / "config.yaml").write_text(text.replace('"U1"', '"@ann", "U1", "T0OTHER/U1"'))
    said = (await command(workspace, "doctor")).stdout
    assert said.count("nobody there has the id") == 1
    assert "nobody there has the id '@ann'" in said


def test_tokens_are_in_their_places_and_not_sent_in_the_clear() -> None:
    with pytest.raises(ConfigError, match="unencrypted"):
        create(name="slack", token=TOKEN, app_token=APP_TOKEN, base_url="http://slack.example.org/api")
    with pytest.raises(ConfigError, match="token_env"):
        create(name="slack", token=APP_TOKEN, app_token=TOKEN)
    with pytest.raises(ConfigError, match="app_token_env"):
        create(name="slack", token=TOKEN, app_token=TOKEN)
