"""Terminals that join a daemon, on the daemon's side: what they are told, and what counts as delivered."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from picklebot.channels.terminal import Reply
from picklebot.cli.dialogue import Dialogue, TurnEnd
from picklebot.cli.joined import Joined, open_joined
from picklebot.cli.plain_view import SilentView
from picklebot.config import load
from picklebot.core.bus import Subscription
from picklebot.core.events import Event, InboundEvent, TurnFinished
from picklebot.core.talk import Wish
from picklebot.errors import ModelRejected, NotFound
from picklebot.gateway.terminals.frames import PATH, PROTOCOL
from picklebot.testing import ScriptedModel
from picklebot.workspace import Workspace
from tests.gateway.conftest import PATIENCE, Serve, Site
from tests.programs.speaking import Held
from tests.programs.test_hooks import hook as hook
from tests.programs.test_hooks import ring, signed


@asynccontextmanager
async def joined(workspace: Path) -> AsyncIterator[Joined]:
    """Join the daemon of this workspace as `chat` does."""
    stop = asyncio.Event()
    async with open_joined(config=load(Workspace(workspace), {}), role="chat") as daemon, asyncio.TaskGroup() as group:
        group.create_task(daemon.run(stop), name="line")
        try:
            yield daemon
        finally:
            daemon.tray.close()
            stop.set()


async def say(daemon: Joined, content: str) -> TurnEnd:
    """Say something and show what comes of it."""
    dialogue = Dialogue(daemon)
    async with asyncio.timeout(PATIENCE):
        end = await dialogue.say(content, SilentView(StringIO(), errors=StringIO()))
    dialogue.shown(end)
    return end


async def late(daemon: Joined) -> Reply:
    """Wait for a reply that answers nothing said just now, and show it."""
    async with asyncio.timeout(PATIENCE):
        await daemon.tray.unseen()
    [reply] = daemon.tray.waiting
    daemon.tray.shown(reply.key)
    return reply


@asynccontextmanager
async def raw(site: Site, **hello: object) -> AsyncIterator[ClientConnection]:
    address = f"ws://{site.host}{PATH}"
    async with connect(address, additional_headers=site.bearer, proxy=None) as connection:
        await connection.send(json.dumps({"type": "hello", "protocol": PROTOCOL, "user": "ann", **hello}))
        yield connection


async def until(connection: ClientConnection, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        while (frame := json.loads(await connection.recv()))["type"] != kind:
            pass
    return dict(frame)


async def undelivered(site: Site) -> int:
    return (await site.app.store.ledger.counts()).undelivered


async def test_a_terminal_is_its_users_place_and_its_answers_count_once_they_were_shown(
    serve: Serve, workspace: Path
) -> None:
    async with serve(ScriptedModel("hello")) as site:
        async with joined(workspace) as daemon:
            assert (await daemon.enter(Wish())).session_id is None
            end = await say(daemon, "hi")
            assert (end.outcome, end.reply) == ("done", "hello")
            place = await daemon.place()
            assert (place.agent_id, place.session_id, place.turns) == ("echo", end.accepted.session_id, 1)
            assert ("echo", "Says back what it hears.") in (await daemon.words()).agents
            assert (await daemon.bill(end.accepted.event_id, end.accepted.session_id)).output_tokens == 5
        assert await undelivered(site) == 0
        [event] = [each for _, each in await site.app.store.log.after(0) if isinstance(each, InboundEvent)]
        assert event.source.channel == "cli"


async def test_a_reply_that_nobody_shows_waits_for_the_next_terminal(serve: Serve, workspace: Path) -> None:
    async with serve(ScriptedModel("hello")) as site:
        async with joined(workspace) as daemon:
            await daemon.say("hi", agent=None, session=None)
            async with asyncio.timeout(PATIENCE):
                await daemon.tray.unseen()
        assert await undelivered(site) == 1
        async with joined(workspace) as daemon:
            assert (await late(daemon)).content == "hello"
        assert await undelivered(site) == 0
        async with joined(workspace) as daemon:
            await daemon.place()
            assert daemon.tray.waiting == []


async def test_what_comes_for_its_user_meanwhile_comes_at_once(
    serve: Serve, workspace: Path, hook: Callable[..., None]
) -> None:
    hook(deliver="last")
    async with serve(ScriptedModel("hello", "The kettle is on.")) as site, joined(workspace) as daemon:
        await say(daemon, "hi")
        assert (await ring(site, signed(b"{}"), b"{}")).status_code == 202
        assert (await late(daemon)).content == "The kettle is on."
        await daemon.place()
    assert daemon.tray.waiting == []


async def test_two_terminals_of_one_user_each_hear_what_they_asked(serve: Serve, workspace: Path) -> None:
    slow = Held("for the first")
    async with serve(ScriptedModel(slow, "for the second")), joined(workspace) as first, joined(workspace) as second:
        asking = asyncio.create_task(say(first, "one"))
        await slow.asked.wait()
        slow.go.set()
        assert (await asking).reply == "for the first"
        assert (await say(second, "two")).reply == "for the second"
        await first.place()
        await second.place()
        assert first.tray.waiting == second.tray.waiting == []


async def test_the_same_id_again_is_the_same_message(serve: Serve) -> None:
    model = ScriptedModel("once")
    async with serve(model) as site, raw(site) as connection:
        said = {"type": "message", "id": "m1", "content": "hi"}
        await connection.send(json.dumps(said))
        first = await until(connection, "accepted")
        await connection.send(json.dumps(said))
        assert await until(connection, "accepted") == {**first, "duplicate": True}
        await connection.send(json.dumps({"type": "ask", "n": 1, "what": "fate", "given": first}))
        async with asyncio.timeout(PATIENCE):
            while (await until(connection, "answer"))["value"]["state"] != "done":
                await connection.send(json.dumps({"type": "ask", "n": 1, "what": "fate", "given": first}))
        assert len(model.requests) == 1


async def test_who_shows_a_reply_to_somebody_else_delivers_nothing(serve: Serve) -> None:
    async with serve(ScriptedModel("for ann")) as site, raw(site) as ann, raw(site, user="bob") as bob:
        await ann.send(json.dumps({"type": "message", "id": "m1", "content": "hi"}))
        event = (await until(ann, "event"))["event"]
        while event["type"] != "OutboundEvent":
            event = (await until(ann, "event"))["event"]
        await bob.send(json.dumps({"type": "shown", "key": event["id"]}))
        await bob.send(json.dumps({"type": "ask", "n": 1, "what": "words"}))
        await until(bob, "answer")
        assert await undelivered(site) == 1
        await ann.send(json.dumps({"type": "shown", "key": event["id"]}))
        await ann.send(json.dumps({"type": "ask", "n": 1, "what": "words"}))
        await until(ann, "answer")
        assert await undelivered(site) == 0


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        ({"type": "dance"}, "error"),
        ({"type": "message", "id": "m1"}, "error"),
        ({"type": "message", "id": "m1", "content": " "}, "refused"),
        ({"type": "message", "id": "m1", "content": "hi", "session": "nowhere"}, "refused"),
        ({"type": "ask", "n": 1, "what": "dance"}, "refused"),
        ({"type": "ask", "n": 1, "what": "enter", "given": {"session": "nowhere"}}, "refused"),
        ({"type": "ask", "n": 1, "what": "bill", "given": {"session": 7}}, "refused"),
        ({"type": "ask", "n": 1, "what": "fate", "given": {}}, "refused"),
    ],
)
async def test_a_frame_that_cannot_be_obeyed_is_answered_and_ends_nothing(
    serve: Serve, frame: dict[str, Any], kind: str
) -> None:
    async with serve(ScriptedModel()) as site, raw(site) as connection:
        await connection.send(json.dumps(frame))
        assert (await until(connection, kind))["message"]
        await connection.send(json.dumps({"type": "ask", "n": 2, "what": "place"}))
        assert (await until(connection, "answer"))["value"]["agent_id"] == "echo"


@pytest.mark.parametrize("hello", ["hi", '{"type": "hello"}', '{"type": "hello", "protocol": 1, "user": ""}'])
async def test_a_terminal_says_who_it_is_first(serve: Serve, hello: str) -> None:
    async with serve(ScriptedModel()) as site:
        address = f"ws://{site.host}{PATH}"
        async with connect(address, additional_headers=site.bearer, proxy=None) as connection:
            await connection.send(hello)
            with pytest.raises(ConnectionClosed, match="1002"):
                await connection.recv()


async def test_a_terminal_of_another_protocol_is_told_which_is_spoken(serve: Serve) -> None:
    async with serve(ScriptedModel()) as site, raw(site, protocol=99) as connection:
        assert (await until(connection, "welcome"))["protocol"] == PROTOCOL
        with pytest.raises(ConnectionClosed, match="1002"):
            await connection.recv()


async def test_nobody_joins_without_the_token(serve: Serve) -> None:
    async with serve(ScriptedModel()) as site:
        with pytest.raises(InvalidStatus, match="401"):
            await connect(f"ws://{site.host}{PATH}", proxy=None)


async def test_who_comes_back_after_a_turn_failed_is_told_what_kind_of_failure_it_was(
    serve: Serve, workspace: Path
) -> None:
    """`ask` exits with 5 for a model's failure, also where it was away when that came."""
    async with serve(ScriptedModel(ModelRejected("no key"))), joined(workspace) as daemon:
        with daemon.hear() as events:
            await daemon.say("hi", agent=None, session=None)
            live = await ending(events)
            await daemon.back(1)
            again = await ending(events)
        assert (live.outcome, live.kind) == (again.outcome, again.kind) == ("failed", "ModelRejected")
        assert live.error == again.error


async def ending(events: Subscription[Event]) -> TurnFinished:
    async with asyncio.timeout(PATIENCE):
        async for event in events:
            if isinstance(event, TurnFinished):
                return event
    raise AssertionError("the bus closes no inbox")


async def test_a_session_that_is_not_there_is_told_in_words(serve: Serve, workspace: Path) -> None:
    async with serve(ScriptedModel()), joined(workspace) as daemon:
        with pytest.raises(NotFound, match="there is no session 'nowhere'"):
            await daemon.find("nowhere")
