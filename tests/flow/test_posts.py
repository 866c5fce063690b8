"""What an agent says out of turn, and where it may."""

from pathlib import Path

from picklebot.testing import FakeChannel, FakeClock, ScriptedModel
from tests.flow.conftest import Daemon, Stored
from tests.flow.jobs import rows, scheduled, write_job
from tests.flow.unasked import calls, due, results, undo_the_end


def offered(model: ScriptedModel, n: int) -> bool:
    """Return whether the model was offered the tool at its n-th request."""
    return "post_message" in [tool.name for tool in model.requests[n].tools]


async def test_a_conversation_is_not_offered_posts_and_a_call_is_answered_with_words(
    daemon: Daemon, channel: FakeChannel
) -> None:
    model = ScriptedModel(calls("post_message", content="psst"), "as you like")
    async with daemon(model, channel):
        await channel.say("hello")
        assert await channel.heard() == ("ann", "as you like")
        assert channel.silent
    assert not offered(model, 0)
    assert "for scheduled jobs and heartbeats only" in results(model.requests[1])[0]


async def test_a_job_posts_at_once_to_where_it_delivers_in_parts_that_fit(
    daemon: Daemon, clock: FakeClock, workspace: Path
) -> None:
    channel = FakeChannel(max_length=100)
    job = write_job(workspace, "brief", deliver="fake:bob")
    model = ScriptedModel(calls("post_message", content="one " * 40), "that was it")
    async with daemon(model, channel) as app:
        await scheduled(app, job)
        clock.advance(hours=1)
        said = [await channel.heard() for _ in range(3)]
    assert [peer for peer, _ in said] == ["bob"] * 3
    assert said[2][1] == "that was it"
    assert " ".join(words for _, words in said[:2]).split() == ["one"] * 40
    assert offered(model, 0)
    assert results(model.requests[1]) == ["Queued for fake:bob."]


async def test_where_a_job_delivers_nowhere_it_posts_to_where_the_owner_spoke_last(
    daemon: Daemon, clock: FakeClock, workspace: Path
) -> None:
    channel, terminal = FakeChannel(), FakeChannel("cli")
    job = write_job(workspace, "brief", deliver="none")
    model = ScriptedModel("hello", calls("post_message", content="psst"), "unheard")
    async with daemon(model, channel, terminal) as app:
        await scheduled(app, job)
        await terminal.say("/help", peer="olga")
        await terminal.heard()
        await channel.say("good day", peer="bob")
        await channel.heard()
        clock.advance(hours=1)
        assert await terminal.heard() == ("olga", "psst")
        assert channel.silent


async def test_where_the_owner_never_spoke_a_post_is_refused_in_words(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path
) -> None:
    job = write_job(workspace, "brief", deliver="none")
    model = ScriptedModel(calls("post_message", content="psst"), "unheard")
    async with daemon(model, channel) as app:
        await scheduled(app, job)
        clock.advance(hours=1)
        await rows(app, job, 1)
    assert "the owner has not spoken anywhere yet" in results(model.requests[1])[0]


async def test_what_a_job_proposes_is_put_before_the_owner_where_they_spoke_last(
    daemon: Daemon, clock: FakeClock, workspace: Path
) -> None:
    terminal = FakeChannel("cli")
    job = write_job(workspace, "brief", deliver="none")
    news = "---\nname: News\nschedule: 0 9 * * *\n---\nTell me the news.\n"
    model = ScriptedModel(calls("write_file", path="crons/news/CRON.md", content=news), "unheard")
    async with daemon(model, terminal) as app:
        await scheduled(app, job)
        await terminal.say("/help", peer="olga")
        await terminal.heard()
        clock.advance(hours=1)
        peer, words = await terminal.heard()
        assert peer == "olga"
        assert "New job news: on 0 9 * * *" in words
        assert "in cron:brief" in words
        await terminal.say("/approve", peer="olga")
        assert "Tell me the news." in (await terminal.heard())[1], "it is shown before it is agreed to"
    assert not (workspace / "crons/news").exists()


async def test_a_task_posts_to_the_chat_that_made_it(daemon: Daemon, channel: FakeChannel, clock: FakeClock) -> None:
    model = ScriptedModel(
        calls("schedule_task", prompt="Look.", at="01:00", timezone="UTC"),
        "noted",
        calls("post_message", content="psst"),
        "done",
    )
    async with daemon(model, channel) as app:
        await channel.say("look later", peer="bob")
        await channel.heard()
        await due(app)
        clock.advance(hours=1)
        assert [await channel.heard() for _ in range(2)] == [("bob", "psst"), ("bob", "done")]


async def test_a_turn_that_is_resumed_posts_once(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path, stored: Stored
) -> None:
    """The daemon dies after the post was written and before the call's result was."""
    job = write_job(workspace, "brief", deliver="fake:bob")
    async with daemon(ScriptedModel(calls("post_message", content="psst"), "done"), channel) as app:
        await scheduled(app, job)
        clock.advance(hours=1)
        assert [await channel.heard() for _ in range(2)] == [("bob", "psst"), ("bob", "done")]
    async with stored() as store:
        await undo_the_end(store)
    model = ScriptedModel("done again")
    async with daemon(model, channel):
        assert await channel.heard() == ("bob", "done again")
        assert channel.silent
    assert results(model.requests[0]) == ["Queued for fake:bob."]
