"""Messages over HTTP and WebSocket, from their acceptance to the reply."""

from picklebot.testing import ScriptedModel
from tests.gateway.conftest import Serve


async def test_a_message_is_accepted_answered_and_found_in_the_log(serve: Serve) -> None:
    async with serve(ScriptedModel("hello")) as site:
        answer = await site.http.post("/api/messages", json={"content": "hi"}, params={"wait": "10"})
        assert answer.status_code == 200, answer.text
        receipt = answer.json()
        assert receipt["reply"] == "hello"
        assert not receipt["duplicate"]
        events = (await site.http.get("/api/events")).json()
        said, replied = events["events"]
        assert said["event"]["id"] == receipt["event_id"]
        assert said["event"]["source"] == "http:default"
        assert replied["event"]["cause_id"] == receipt["event_id"]
        assert events["last"] == replied["seq"]


async def test_the_same_idempotency_key_is_the_same_message(serve: Serve) -> None:
    async with serve(ScriptedModel("once")) as site:
        key = {"Idempotency-Key": "k1"}
        first = await site.http.post("/api/messages", json={"content": "hi"}, headers=key)
        again = await site.http.post("/api/messages", json={"content": "hi"}, headers=key)
        other = await site.http.post("/api/messages", json={"content": "/agents", "client": "bob"}, headers=key)
        assert (first.status_code, again.status_code) == (202, 202)
        assert again.json() == {**first.json(), "duplicate": True}
        assert other.json()["event_id"] != first.json()["event_id"]


async def test_a_websocket_hears_accepted_and_then_the_reply(serve: Serve) -> None:
    async with serve(ScriptedModel("hello")) as site, site.socket(client="ann") as ws:
        await ws.say("hi", key="m1")
        accepted = await ws.until("accepted")
        assert (accepted["id"], accepted["duplicate"]) == ("m1", False)
        reply = await ws.event("OutboundEvent")
        assert (reply["content"], reply["cause_id"]) == ("hello", accepted["event_id"])
        await ws.say("hi", key="m1")
        again = await ws.until("accepted")
        assert again == {**accepted, "duplicate": True}


async def test_a_websocket_answers_a_ping_and_what_it_does_not_understand(serve: Serve) -> None:
    async with serve(ScriptedModel()) as site, site.socket() as ws:
        for sent, code in (
            ("no json", "bad_frame"),
            ('{"type": "launch"}', "unknown_type"),
            ('{"type": "message", "id": "x"}', "bad_frame"),
            (b"\x00", "bad_frame"),
            ('{"type": "subscribe", "session": "none"}', "not_found"),
        ):
            await ws.send(sent)
            assert (await ws.read())["code"] == code
        await ws.send({"type": "ping"})
        assert await ws.read() == {"type": "pong"}


async def test_status_says_how_things_stand_and_where(serve: Serve) -> None:
    async with serve(ScriptedModel("hello")) as site:
        await site.http.post("/api/messages", json={"content": "hi"}, params={"wait": "10"})
        status = (await site.http.get("/api/status")).json()
        assert (status["url"], status["done"], status["open"]) == (site.url, 1, 0)


async def test_nobody_is_let_in_without_the_token(serve: Serve) -> None:
    async with serve(ScriptedModel()) as site:
        assert (await site.stranger.get("/healthz")).json() == {"status": "ok"}
        for path in ("/", "/readyz", "/api/status", "/nowhere", "/ws"):
            answer = await site.stranger.get(path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")
