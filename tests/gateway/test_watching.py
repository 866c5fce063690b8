"""Watching: each durable event once and in order, however a client came to watch, and nobody is waited for."""

import asyncio
from typing import Any

from websockets.asyncio.client import connect

from picklebot.core.events import Event, InboundEvent
from picklebot.gateway.wire import BACKLOG
from picklebot.testing import ScriptedModel
from tests.gateway.conftest import PATIENCE, Always, Serve, Site, Socket


async def said(site: Site, *texts: str, client: str = "ann") -> list[dict[str, Any]]:
    """Say something over HTTP, and wait for the answers."""
    answers = [
        await site.http.post("/api/messages", json={"content": text, "client": client}, params={"wait": "20"})
        for text in texts
    ]
    return [answer.json() for answer in answers]


async def test_a_client_that_comes_back_is_shown_what_it_missed_and_then_goes_on_live(serve: Serve) -> None:
    async with serve(Always()) as site:
        first = await said(site, "one", "two", "three")
        async with site.socket(client="bob") as ws:
            await ws.send({"type": "subscribe", "session": first[0]["session_id"], "after": 2})
            seqs = [(await ws.until("event"))["seq"] for _ in range(4)]
            assert seqs == [3, 4, 5, 6]
            await said(site, "four")
            live = [await ws.event("InboundEvent"), await ws.event("OutboundEvent")]
            assert [event["seq"] for event in live] == [7, 8]


async def test_a_client_sees_its_own_sessions_at_once_and_others_only_if_it_asks(serve: Serve) -> None:
    async with serve(Always()) as site, site.socket(client="bob") as ws:
        await said(site, "not for bob")
        await ws.say("for me", key="1")
        assert (await ws.event("OutboundEvent"))["source"] == "ws:bob"
        assert {frame["event"]["source"] for frame in ws.seen if frame["type"] == "event"} == {"ws:bob"}
        await ws.send({"type": "subscribe"})
        await said(site, "for all")
        assert (await ws.event("OutboundEvent"))["source"] == "http:ann"


async def test_notices_are_seen_live_between_the_message_and_its_reply(serve: Serve) -> None:
    async with serve(ScriptedModel("hello")) as site, site.socket(client="ann") as ws:
        await ws.say("hi", key="1")
        await ws.event("TurnFinished")
        kinds = [frame["event"]["type"] for frame in ws.seen if frame["type"] == "event"]
        assert kinds[:2] == ["InboundEvent", "TurnStarted"]
        assert kinds[-2:] == ["OutboundEvent", "TurnFinished"]
        assert set(kinds[2:-2]) == {"TextDelta"}


async def test_nothing_is_missed_or_shown_twice_while_others_speak(serve: Serve) -> None:
    async with serve(Always()) as site:
        await said(site, *(f"before {n}" for n in range(10)))

        async def watch() -> list[int]:
            async with site.socket() as ws:
                await ws.send({"type": "subscribe", "after": 0})
                while len(seqs := [f["seq"] for f in ws.seen if f.get("seq")]) < 100:
                    await ws.read()
                return seqs

        async with asyncio.TaskGroup() as group:
            watchers = []
            for n in range(8):
                watchers.append(group.create_task(watch()))
                await said(site, *(f"{n}.{k}" for k in range(5)), client=f"c{n}")
        assert [watcher.result() for watcher in watchers] == [list(range(1, 101))] * 8


async def test_a_subscription_can_be_made_again_and_begins_where_it_says(serve: Serve) -> None:
    async with serve(Always()) as site, site.socket() as ws:
        await said(site, "one", "two")
        for after in (0, 2, 3, 4):
            await ws.send({"type": "subscribe", "after": after})
            assert [(await ws.until("event"))["seq"] for _ in range(4 - after)] == list(range(after + 1, 5))
        await ws.send({"type": "ping"})
        assert (await ws.read())["type"] == "pong"


async def test_a_stop_frame_stops_the_turn_of_its_session(serve: Serve) -> None:
    begun, never = asyncio.Event(), asyncio.Event()

    async def hang(request: object) -> str:
        begun.set()
        await never.wait()
        return "never"

    async with serve(ScriptedModel(hang)) as site, site.socket() as ws:
        await ws.say("hi", key="1")
        session = (await ws.until("accepted"))["session_id"]
        await begun.wait()
        await ws.send({"type": "stop", "session": session})
        assert (await ws.event("TurnFinished"))["outcome"] == "stopped"
        await ws.send({"type": "stop", "session": session})
        assert (await ws.until("error"))["code"] == "nothing_runs"


async def test_who_stops_reading_is_dropped_and_the_others_are_not_held_up(serve: Serve) -> None:
    large = "x" * 100_000
    async with serve(Always(large)) as site, site.socket() as quick:
        await quick.send({"type": "subscribe"})
        address = f"ws://{site.host}/ws"
        async with connect(address, additional_headers=site.bearer, proxy=None, max_queue=1) as stalled:
            slow = Socket(stalled)
            await slow.send({"type": "subscribe"})
            await slow.send({"type": "ping"})
            assert (await slow.read())["type"] == "pong"
            rounds = 120  # more than the machine's own buffers, and ours, can hold
            assert rounds * len(large) > 4 * BACKLOG
            for n in range(rounds):
                await said(site, "go on", client=f"c{n}")
                await quick.event("OutboundEvent")
            assert await slow.closed() == 1013
        seen = max(frame.get("seq") or 0 for frame in slow.seen)
        assert 0 < seen < 2 * rounds
        async with site.socket() as back:
            await back.send({"type": "subscribe", "after": seen})
            missed = [(await back.until("event"))["seq"] for _ in range(2 * rounds - seen)]
            assert missed == list(range(seen + 1, 2 * rounds + 1))


async def test_while_nobody_watches_the_bus_is_left_alone(serve: Serve) -> None:
    async with serve(Always()) as site:
        assert not site.app.bus.wanted(Event)
        async with site.socket() as ws:
            await ws.send({"type": "ping"})
            await ws.read()
            assert site.app.bus.wanted(InboundEvent)
        async with asyncio.timeout(PATIENCE):
            await said(site, "hi")


async def test_a_daemon_that_stops_says_so_and_answers_what_it_was_asked(serve: Serve) -> None:
    begun, never = asyncio.Event(), asyncio.Event()

    async def hang(request: object) -> str:
        begun.set()
        await never.wait()
        return "never"

    async with asyncio.TaskGroup() as group, serve(ScriptedModel(hang), grace=1.0) as site, site.socket() as ws:
        asked = group.create_task(site.http.post("/api/messages", json={"content": "hi"}, params={"wait": "300"}))
        await begun.wait()
        site.stop()
        answer = await asked
        assert answer.status_code == 202
        assert await ws.closed() == 1012
