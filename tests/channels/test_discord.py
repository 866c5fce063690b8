"""Discord, from the platform's side: what a person writes, what they see, and what Discord may do to it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from picklebot.channels.base import Letter
from picklebot.channels.discord import create
from picklebot.channels.discord.listening import ROOM
from picklebot.core.source import Source
from picklebot.errors import ChannelUnavailable, ConfigError, DeliveryRejected, StoreFull
from picklebot.testing import FakeChannel, FakeClock, ScriptedModel
from tests.channels.conftest import as_time_passes
from tests.channels.discord_listener import DONE, Listener
from tests.channels.discord_platform import DiscordPlatform
from tests.channels.discord_shapes import HALL, NAMED, TOKEN, alone, chosen
from tests.channels.test_telegram import until_said
from tests.channels.test_telegram_live import OPENING, REST, Storyteller
from tests.cli.inside import command
from tests.flow.conftest import Daemon
from tests.flow.test_file_proposals import JOB, write

Settings = Callable[..., None]


@pytest.fixture
async def discord() -> AsyncIterator[DiscordPlatform]:
    platform = DiscordPlatform()
    await platform.start()
    yield platform
    await platform.stop()


@pytest.fixture
def settings(workspace: Path, discord: DiscordPlatform) -> Settings:
    """Write the settings of the channel: those people are owners."""

    def write_them(*allow: int) -> None:
        with (workspace / "config.yaml").open("a") as file:
            file.write(f"channels: {{discord: {{enabled: true, base_url: '{discord.url}', allow: {[*allow]}}}}}\n")
        (workspace / ".env").write_text(f"DISCORD_BOT_TOKEN={TOKEN}\n")
        (workspace / ".env").chmod(0o600)

    return write_them


async def test_a_reply_grows_in_one_message_and_comes_anew_where_that_was_deleted(
    daemon: Daemon, settings: Settings, discord: DiscordPlatform, clock: FakeClock
) -> None:
    settings(1)
    ann = alone(1)
    async with daemon(model := Storyteller()):
        discord.say(1, "a story")
        await as_time_passes(clock, discord, lambda: discord.texts(ann) == [OPENING + " …"], seconds=5)
        assert f"POST channels/{ann}/typing" in discord.calls
        model.go_on.set()
        await discord.until(lambda: discord.texts(ann) == [OPENING + REST])
        model.go_on.clear()
        discord.say(1, "another")
        await as_time_passes(clock, discord, lambda: discord.texts(ann)[1:] == [OPENING + " …"], seconds=5)
        discord.sent.pop()
        model.go_on.set()
        await discord.until(lambda: discord.texts(ann) == [OPENING + REST] * 2)


async def test_what_waits_for_the_owner_comes_with_buttons_that_answer_it_once(
    daemon: Daemon, settings: Settings, discord: DiscordPlatform, workspace: Path
) -> None:
    settings(1)
    ann, other = alone(1), FakeChannel("fake")
    async with daemon(ScriptedModel("hello", write("crons/brief/CRON.md", JOB), "It waits."), other):
        discord.say(1, "hi")
        await discord.until(lambda: discord.texts(ann) == ["hello"])
        await other.say("a job, please")
        await discord.until(lambda: len(discord.texts(ann)) == 2)
        asked = discord.sent[-1]
        discord.press(asked, "Approve", person=666)
        await discord.until(lambda: len(discord.deferred) == 1)
        discord.press(asked, "Approve", person=1)
        await discord.until(lambda: "is in force" in discord.texts(ann)[-1])
        await discord.until(lambda: not asked["components"])
        assert len(discord.deferred) == 2
        assert (workspace / "crons" / "brief" / "CRON.md").read_text() == JOB
        assert not [text for text in discord.texts(ann) if "let in" in text], (
            "a stranger who presses hears nothing here"
        )


async def test_the_menu_lists_the_commands_and_choosing_one_says_it_as_whoever_chose(
    daemon: Daemon, settings: Settings, discord: DiscordPlatform
) -> None:
    settings(1)
    async with daemon(ScriptedModel()):
        await discord.until(lambda: discord.menu)
        assert {"help", "new", "stop", "approve"} <= {*discord.menu}
        for person in (666, 1):
            discord.tell("INTERACTION_CREATE", chosen("agent", "echo", person=person, number=str(person)))
        await discord.until(lambda: discord.texts(HALL))
    assert discord.texts(HALL)[0].startswith("**echo** answers from now on")
    assert len(discord.deferred) == 2
    assert len(discord.texts(HALL)) == 1, "a stranger hears nothing in company"


async def test_a_wrong_token_is_said_in_words_and_a_right_one_brings_the_channel_back(
    daemon: Daemon, settings: Settings, discord: DiscordPlatform, workspace: Path, clock: FakeClock
) -> None:
    settings(1)
    discord.token = "another"
    async with daemon(ScriptedModel("back")):
        found = await until_said(workspace, "discord is away: Discord does not know this bot's token")
        assert found.returncode == 1
        assert TOKEN not in found.stdout
        discord.token = TOKEN
        discord.say(1, "hi")
        await as_time_passes(clock, discord, lambda: discord.texts(alone(1)) == ["back"])
        assert "away" not in (await command(workspace, "status")).stdout


async def test_a_thread_and_a_renamed_person_are_known_by_their_ids(
    daemon: Daemon, settings: Settings, discord: DiscordPlatform
) -> None:
    settings(1)
    model = ScriptedModel("in the hall", "in the thread", "in the hall again")
    async with daemon(model):
        discord.say(1, f"hi {NAMED}", room=HALL)
        await discord.until(lambda: discord.texts(HALL) == ["in the hall"])
        discord.say(1, f"{NAMED} hi", room="7002", guild_id="7000")
        await discord.until(lambda: discord.texts("7002") == ["in the thread"])
        renamed = {"id": "1", "username": "anna", "discriminator": "0", "global_name": "Anna", "avatar": None}
        discord.say(9, f"{NAMED} hi", room=HALL, author={**renamed, "id": "9"})
        discord.say(2, "hi", room=HALL, mentions=[{**renamed, "id": "1"}])
        discord.say(1, f"{NAMED} hi", room=HALL, author={**renamed, "bot": True})
        discord.say(1, f"{NAMED} hi", room=HALL, author=renamed)
        await discord.until(lambda: discord.texts(HALL)[1:] == ["in the hall again"])
    assert [len(request.messages) for request in model.requests] == [1, 1, 3]


async def test_what_is_passed_on_is_told_as_that_and_is_from_outside(discord: DiscordPlatform) -> None:
    passed_on = {
        "content": "/approve 1",
        "embeds": [],
        "attachments": [],
        "type": 0,
        "flags": 0,
        "edited_timestamp": None,
    }
    moment = {"timestamp": "2030-01-01T00:00:00+00:00", "mentions": [], "mention_roles": []}
    async with Listener(discord) as listener:
        discord.say(1, "", message_snapshots=[{"message": passed_on | moment}])
        assert await listener.next() == ["[Forwarded:]\n/approve 1"]
        assert listener.last.outside
        discord.say(1, "/approve 1")
        assert await listener.next() == ["/approve 1"]
        assert not listener.last.outside


async def test_what_was_said_in_an_absence_comes_first_and_in_order(discord: DiscordPlatform) -> None:
    async with Listener(discord) as listener:
        for person, room in ((1, ""), (1, HALL), (2, "")):
            discord.say(person, f"{NAMED} one", room=room)
        assert await listener.next(3) == ["one"] * 3
    for number in range(250):
        discord.say(1, f"m{number}")
        discord.say(3, f"{NAMED} h{number}" if number % 2 else "lovely weather", room=HALL)
    discord.forbidden.add(alone(2))
    async with listener:
        missed = await listener.next(375)
        discord.say(1, "now")
        assert await listener.next() == ["now"]
    assert [each for each in missed if each[0] == "m"] == [f"m{number}" for number in range(250)]
    assert [each for each in missed if each[0] == "h"] == [f"h{number}" for number in range(1, 250, 2)]
    async with listener:
        discord.say(1, "then")
        assert await listener.next() == ["then"], "and no more than once"


async def test_a_broken_connection_is_made_again_and_loses_nothing(discord: DiscordPlatform) -> None:
    async with Listener(discord) as listener:
        discord.say(1, "one")
        assert await listener.next() == ["one"]
        await discord.hang_up(4000)
        discord.say(1, "two")
        assert await listener.next() == ["two"], "Discord tells it again"
        await discord.forget_sessions()
        discord.say(1, "three")
        await discord.greet_again()
        discord.say(1, "four")
        await discord.all_heard()
        assert await listener.next(2) == ["three", "four"], "it was asked for"


async def test_what_finds_no_room_in_memory_is_asked_for_again(discord: DiscordPlatform) -> None:
    async with Listener(discord) as listener:
        discord.say(1, "first")
        assert await listener.next() == ["first"]
        for number in range(ROOM + 150):
            discord.say(1 + number % 2, f"m{number}")
        await discord.all_heard()
        heard = await listener.next(ROOM + 150)
    assert [each for each in heard if int(each[1:]) % 2 == 0] == [f"m{number}" for number in range(0, ROOM + 150, 2)]
    assert [each for each in heard if int(each[1:]) % 2] == [f"m{number}" for number in range(1, ROOM + 150, 2)]


async def test_what_a_full_disk_did_not_take_is_asked_for_again(discord: DiscordPlatform) -> None:
    listener = Listener(discord)
    listener.verdict = StoreFull("no room")
    async with listener:
        discord.say(1, "one")
        discord.say(1, "two")
        assert await listener.next() == ["one"]
        with pytest.raises(ChannelUnavailable, match="nothing can be accepted"):
            await listener.next(2)
    listener.verdict = DONE
    async with listener:
        assert await listener.next(2) == ["one", "two"]
    assert not discord.sent, "nobody is told of what is only late"


async def test_a_message_that_breaks_off_between_its_pieces_is_there_once(discord: DiscordPlatform) -> None:
    listener = Listener(discord)
    to, text = Source("discord", ("5", "5")), "one " * 900
    async with listener:
        discord.troubles = [0.01, "lost"]
        with pytest.raises(ChannelUnavailable):
            await listener.channel.send(to, text, key="k")
        again = create(name="discord", token=TOKEN, base_url=discord.url)
        async with again.connect():  # another process, which knows nothing of the pieces that are there
            await again.deliver(Source("discord", ("5", alone(5))), Letter(content=text, key="k"))
        await again.aclose()
        assert await listener.channel.send(to, " ", key="empty") == ""
        discord.blocked.add(alone(5))
        with pytest.raises(DeliveryRejected, match="takes no messages from the bot"):
            await listener.channel.send(to, "hi", key="k2")
        for nobody in (Source("discord", ("ann", "5")), Source("discord", ("5",))):
            with pytest.raises(DeliveryRejected, match="names nobody"):
                await listener.channel.send(nobody, "hi", key="k3")
    assert " ".join(discord.texts(alone(5))).split() == ["one"] * 900
    with pytest.raises(ChannelUnavailable, match="not connected"):
        await listener.channel.send(to, "hi", key="k4")


async def test_what_was_begun_before_the_end_is_still_answered_after_nobody_listens_any_more(
    discord: DiscordPlatform,
) -> None:
    listener = Listener(discord)
    early = asyncio.create_task(listener.channel.send(Source("discord", ("5", "5")), "of the last run", key="k1"))
    async with listener.channel.connect():
        await early
    await listener.channel.send(Source("discord", ("5", "5")), "of this one", key="k2")
    await listener.channel.aclose()
    assert discord.texts(alone(5)) == ["of the last run", "of this one"]


@pytest.mark.parametrize(
    ("code", "words"),
    [(4004, "does not know this bot's token"), (4014, "Privileged Intents"), (4011, "sharded"), (4013, "4013")],
)
async def test_why_discord_ends_a_connection_is_said_in_words(discord: DiscordPlatform, code: int, words: str) -> None:
    listener = Listener(discord)
    discord.refuses = code
    with pytest.raises(ChannelUnavailable, match=words):
        async with listener:
            pass


async def test_no_error_shows_the_token_and_none_goes_over_the_network_in_the_clear() -> None:
    with pytest.raises(ConfigError, match="unencrypted"):
        create(name="discord", token=TOKEN, base_url="http://discord.example.org")
    channel = create(name="discord", token=TOKEN, base_url="http://127.0.0.1:9")
    with pytest.raises(ChannelUnavailable, match="cannot be reached") as caught:
        async with channel.connect():
            pass
    assert TOKEN not in f"{caught.value!r} {caught.value.__cause__!r}"
    await asyncio.sleep(0)
