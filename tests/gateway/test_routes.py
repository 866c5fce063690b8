"""What can be read and done over HTTP, held against the description of the API."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # schemathesis brings it, without types
from websockets.asyncio.client import connect

from picklebot.core.proposals import Asking, propose
from picklebot.core.source import Source
from picklebot.store.base import Arrival
from picklebot.testing import ScriptedModel
from tests.gateway.conftest import Serve, Site

CRON = "---\nname: Tick\nagent: echo\nschedule: 0 0 1 1 *\n---\nSay tick.\n"


async def read(site: Site, path: str, route: str | None = None, **params: str) -> Any:
    """GET a path, and hold what comes against what the description says of `route`."""
    answer = await site.http.get(path, params=params)
    assert answer.status_code == 200, answer.text
    described = (await site.http.get("/api/openapi.json")).json()
    content = described["paths"][route or path]["get"]["responses"]["200"]["content"]["application/json"]
    schema = {**content["schema"], "components": described["components"]}
    Draft202012Validator(schema).validate(answer.json())
    return answer.json()


async def test_everything_that_can_be_read_is_as_it_is_described(serve: Serve, workspace: Path) -> None:
    (workspace / "crons" / "tick").mkdir(parents=True)
    (workspace / "crons" / "tick" / "CRON.md").write_text(CRON)
    (workspace / "memories" / "topics").mkdir(parents=True)
    (workspace / "memories" / "topics" / "tea.md").write_text("She prefers tea.\n")
    async with serve(ScriptedModel("hello")) as site:
        said = await site.http.post("/api/messages", json={"content": "hi"}, params={"wait": "10"})
        event, session = said.json()["event_id"], said.json()["session_id"]
        status = await read(site, "/api/status")
        assert (status["accepted"], [job["id"] for job in status["next_jobs"]]) == (1, ["tick"])
        assert [agent["id"] for agent in (await read(site, "/api/agents"))["agents"]] == ["echo"]
        assert [each["id"] for each in (await read(site, "/api/sessions"))["sessions"]] == [session]
        whole = await read(site, f"/api/sessions/{session}", "/api/sessions/{id}")
        assert [message["role"] for message in whole["messages"]] == ["user", "assistant"]
        assert whole["turns"][0]["outbound"][0]["content"] == "hello"
        assert (await read(site, "/api/crons"))["crons"][0]["id"] == "tick"
        assert (await read(site, "/api/crons/tick/history", "/api/crons/{id}/history")) == {"history": []}
        assert (await read(site, "/api/tasks")) == {"tasks": []}
        assert (await read(site, "/api/dead")) == {"events": []}
        for by in ("day", "agent", "session", "cron", "model"):
            assert (await read(site, "/api/usage", by=by))["total"]["calls"] == 1
        assert (await read(site, "/api/proposals")) == {"proposals": []}
        assert (await read(site, "/api/memory"))["notes"][0]["content"] == "She prefers tea."
        assert (await read(site, "/api/memory", q="tea"))["notes"][0]["path"] == "topics/tea.md"
        why = await read(site, f"/api/why/{event}", "/api/why/{id}")
        assert why["asked"] == event
        assert any("delivered" in line or "not delivered yet" in line for line in why["lines"])
        assert (await read(site, "/api/doctor"))["ok"]
        for state in ("pending", "acked", "dead"):
            await read(site, "/api/deliveries", state=state)


async def test_a_reply_over_the_gateway_counts_as_delivered_once_it_is_in_the_log(serve: Serve) -> None:
    async with serve(ScriptedModel("hello")) as site:
        await site.http.post("/api/messages", json={"content": "hi"}, params={"wait": "10"})
    async with serve(ScriptedModel()) as site:  # the first one has made its last pass
        [reply] = (await read(site, "/api/deliveries", state="acked"))["deliveries"]
        assert (reply["content"], reply["receipt"]) == ("hello", "in the log")
        assert (await read(site, "/api/status"))["undelivered"] == 0


async def test_what_there_is_not_is_said_in_words(serve: Serve) -> None:
    async with serve(ScriptedModel()) as site:
        for path in ("/api/sessions/x", "/api/crons/x/history", "/api/why/x", "/api/crons/a:b:c/history", "/nowhere"):
            answer = await site.http.get(path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found"), path
            assert answer.json()["error"]["message"]
        for path in ("crons/x/run", "events/x/retry", "events/x/drop", "turns/x/stop"):
            answer = await site.http.post(f"/api/{path}")
            assert answer.status_code == 404, path
        wrong: list[tuple[str, dict[str, str]]] = [
            ("/api/usage", {"by": "month"}),
            ("/api/events", {"after": "-1"}),
            ("/api/events", {"limit": "100000"}),
            ("/api/deliveries", {"state": "lost"}),
            ("/api/sessions", {"nothing": "known"}),
        ]
        for path, params in wrong:
            answer = await site.http.get(path, params=params)
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request"), path
        for body in (
            "",
            "[]",
            "{}",
            '{"content": 1}',
            '{"content": "a", "more": 1}',
            "[" * 100_000,
            '{"content": "\\ud800"',
        ):
            answer = await site.http.post("/api/messages", content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code == 400, body[:50]
        for said in ({"content": " "}, {"content": "hi", "agent": "nobody"}, {"content": "hi", "session": "none"}):
            assert (await site.http.post("/api/messages", json=said)).status_code in {404, 422}
        assert (await site.http.delete("/api/messages")).json()["error"]["code"] == "method_not_allowed"


async def test_a_job_is_begun_by_hand_and_answered(serve: Serve, workspace: Path) -> None:
    (workspace / "crons" / "tick").mkdir(parents=True)
    (workspace / "crons" / "tick" / "CRON.md").write_text(CRON)
    async with serve(ScriptedModel("tick")) as site, site.socket() as ws:
        await ws.send({"type": "subscribe"})
        await ws.send({"type": "ping"})
        await ws.until("pong")
        begun = (await site.http.post("/api/crons/tick/run")).json()
        assert begun["stage"] == "fired"
        finished = await ws.event("TurnFinished")
        assert finished["cause_id"] == begun["event_id"]
        [instant] = (await read(site, "/api/crons/tick/history", "/api/crons/{id}/history"))["history"]
        assert (instant["event_id"], instant["state"]) == (begun["event_id"], "ran")


async def test_the_turn_of_a_message_is_stopped_by_the_id_of_the_message(serve: Serve) -> None:
    begun, never = asyncio.Event(), asyncio.Event()

    async def hang(request: object) -> str:
        begun.set()
        await never.wait()
        return "never"

    async with serve(ScriptedModel(hang)) as site, asyncio.TaskGroup() as group:
        asked = {"content": "hi"}
        waiting = group.create_task(site.http.post("/api/messages", json=asked, params={"wait": "20"}))
        await begun.wait()
        [said] = (await read(site, "/api/events"))["events"]
        path = f"/api/turns/{said['event']['id']}/stop"
        assert (await site.http.post(path)).json() == {"status": "ok"}
        assert (await waiting).status_code == 200
        again = await site.http.post(path)
        assert (again.status_code, again.json()["error"]["code"]) == (409, "nothing_runs")


async def test_an_approval_is_for_exactly_what_was_shown(serve: Serve, workspace: Path) -> None:
    async with serve(ScriptedModel()) as site:
        asking = Asking(session_id="s", source=Source("fake", ("ann",)), key="k", at=site.clock.now())
        body = {"path": "AGENTS.md", "before": None, "after": "Be kind.\n"}
        made = await site.app.store.proposals.propose(
            propose("file", body, asking, title="AGENTS.md", about="AGENTS.md")
        )
        [shown] = (await read(site, "/api/proposals"))["proposals"]
        assert (shown["body"]["after"], shown["intact"]) == ("Be kind.\n", True)
        path = f"/api/proposals/{shown['id']}/approve"
        wrong = await site.http.post(path, json={"digest": "0" * 64})
        assert (wrong.status_code, wrong.json()["error"]["code"]) == (409, "not_what_was_shown")
        assert not (workspace / "AGENTS.md").exists()
        decided = (await site.http.post(path, json={"digest": shown["digest"]})).json()
        assert decided["proposal"]["state"] == "approved", decided
        assert (workspace / "AGENTS.md").read_text() == "Be kind.\n"
        assert decided["proposal"]["settled_by"] == "http:owner"
        again = await site.http.post(f"/api/proposals/{made.id}/deny", json={"digest": made.digest})
        assert (again.status_code, again.json()["error"]["code"]) == (409, "decided")


async def test_what_was_set_aside_goes_on_or_is_given_up(serve: Serve, workspace: Path) -> None:
    database = workspace / ".picklebot" / "picklebot.db"
    async with serve(ScriptedModel()) as site:
        for n in range(2):
            source = Source("fake", (f"ann{n}",))
            arrival = Arrival(source=source, content="hi", key=f"k{n}", agent_id="echo", at=site.clock.now())
            await site.app.store.inbox.accept(arrival, limit=9)  # with no bell, so nothing begins it
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE inbox SET state = 'dead'")  # as after three crashes
    async with serve(ScriptedModel("at last")) as site:
        letters = (await read(site, "/api/dead"))["events"]
        assert [letter["kind"] for letter in letters] == ["message", "message"]
        first, second = (letter["id"] for letter in letters)
        async with site.socket() as ws:
            await ws.send({"type": "subscribe"})
            await ws.send({"type": "ping"})
            await ws.until("pong")
            assert (await site.http.post(f"/api/events/{first}/retry")).json()["id"] == first
            assert (await ws.event("TurnFinished"))["cause_id"] == first
        assert (await site.http.post(f"/api/events/{second}/drop")).status_code == 200
        assert (await read(site, "/api/dead"))["events"] == []
        assert (await read(site, "/api/status"))["failed"] == 1


async def test_each_route_is_described_and_each_description_is_a_route(
    serve: Serve, gateway: Callable[..., None]
) -> None:
    async with serve(ScriptedModel()) as site:
        described = (await site.http.get("/api/openapi.json")).json()
        for path, methods in described["paths"].items():
            for method in ("get", "post", "put", "delete"):
                plain = path.replace("{id}", "none").replace("{code}", "none").replace("{name}", "none")
                answer = await site.http.request(method, plain, json={})
                assert (answer.status_code == 405) is (method not in methods), (method, path)
        channels = described["x-asyncapi"]["channels"]
        assert [each["address"] for each in channels.values()] == ["/ws", "/ws/terminal"]
        for each in channels.values():
            async with connect(f"ws://{site.host}{each['address']}", additional_headers=site.bearer, proxy=None):
                pass
        frames = {name: frame for each in channels.values() for name, frame in each["messages"].items()}
        assert len(frames) == 16
        assert all(
            each["payload"]["$ref"].split("/")[-1] in described["components"]["schemas"] for each in frames.values()
        )
        assert json.dumps(described)
