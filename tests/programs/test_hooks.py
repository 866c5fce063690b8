"""Webhooks, through the front door (S24): who is believed, what an agent reads, where its answer goes."""

import hmac
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest

from picklebot.agent.conversation import Conversation
from picklebot.config import load
from picklebot.core.events import InboundEvent
from picklebot.errors import ConfigError
from picklebot.gateway.hooks.signature import sign
from picklebot.testing import FakeClock, ScriptedModel
from picklebot.wiring.hooks import hooks_of
from picklebot.workers.marking import marks_of
from picklebot.workers.people import by_channel
from picklebot.workspace import Workspace
from tests.gateway.conftest import Serve, Site

SECRET = "0123456789abcdef0123456789abcdef"
NOW = int(FakeClock().now().timestamp())  #: which is what the daemon's clock says too
BODY = {"issue": {"title": "It is broken"}}
UNSIGNED = {"error": {"code": "unauthorized", "message": "the request is not signed with this hook's secret"}}


@pytest.fixture
def hook(gateway: Callable[..., None], workspace: Path) -> Callable[..., None]:
    """Set a webhook called `tracker`: `hook(deliver="last")`."""
    (workspace / ".env").write_text(f"TRACKER_SECRET={SECRET}\n")
    (workspace / ".env").chmod(0o600)

    def write(**settings: object) -> None:
        gateway(hooks={"tracker": {"secret_env": "TRACKER_SECRET", **settings}})

    return write


def signed(body: bytes, *, delivery: str = "d1", age: int = 0) -> dict[str, str]:
    stamp = NOW - age
    return {
        "Content-Type": "application/json",
        "X-Picklebot-Timestamp": str(stamp),
        "X-Picklebot-Signature": sign(SECRET, stamp, body),
        "X-Picklebot-Delivery": delivery,
    }


async def ring(site: Site, headers: Mapping[str, str], body: bytes, *, name: str = "tracker") -> httpx2.Response:
    return await site.stranger.post(f"/hooks/{name}", content=body, headers=headers)


async def accepted(site: Site) -> list[InboundEvent]:
    return [event for _, event in await site.app.store.log.after(0) if isinstance(event, InboundEvent)]


async def test_a_signed_delivery_is_accepted_and_its_agent_reads_the_template(
    serve: Serve, hook: Callable[..., None]
) -> None:
    hook(template="An issue: {{ body.issue.title }}, {{ body.issue.body }}.")
    body = json.dumps(BODY).encode()
    async with serve(ScriptedModel("Sorted.")) as site:
        answer = await ring(site, signed(body), body)
        assert answer.status_code == 202, answer.text
        [event] = await accepted(site)
        assert marks_of(event, Conversation([]), {}, is_owner=by_channel) == {"outside"}
        assert answer.json() == {"event_id": event.id, "session_id": event.session_id, "duplicate": False}
        assert (str(event.source), event.agent_id, event.deliver) == ("hook:tracker", "echo", "none")
        mark = event.content.partition("<outside-")[2][:8]
        assert f"An issue: <outside-{mark}>It is broken</outside-{mark}>, ." in event.content
        assert event.content.startswith("[Webhook tracker. ")
        assert event.content.endswith("[Not in this delivery: body.issue.body.]")


async def test_a_delivery_that_comes_again_begins_no_second_turn(serve: Serve, hook: Callable[..., None]) -> None:
    hook()
    body = json.dumps(BODY).encode()
    async with serve(ScriptedModel("Once.")) as site:
        first = (await ring(site, signed(body), body)).json()
        same = (await ring(site, signed(body), body)).json()
        signed_anew = (await ring(site, signed(body, age=3), body)).json()
        assert same == signed_anew == {**first, "duplicate": True}
        assert len(await accepted(site)) == 1


async def test_a_copy_under_another_id_is_the_same_delivery(serve: Serve, hook: Callable[..., None]) -> None:
    hook()
    body = json.dumps(BODY).encode()
    async with serve(ScriptedModel("Once.")) as site:
        original = signed(body)
        first = (await ring(site, original, body)).json()
        for name in ("d2", ""):
            copy = await ring(site, {**original, "X-Picklebot-Delivery": name}, body)
            assert copy.json() == {**first, "duplicate": True}
        assert len(await accepted(site)) == 1


async def test_a_delivery_is_known_again_after_a_restart(serve: Serve, hook: Callable[..., None]) -> None:
    hook()
    body = json.dumps(BODY).encode()
    async with serve(ScriptedModel("Once.")) as site:
        first = (await ring(site, signed(body), body)).json()
    async with serve(ScriptedModel()) as site:
        assert (await ring(site, signed(body), body)).json() == {**first, "duplicate": True}
        copied = {**signed(body), "X-Picklebot-Delivery": "d2"}
        assert (await ring(site, copied, body)).json() == {**first, "duplicate": True}
        site.clock.advance(seconds=299)  # as long as its signature is believed
        assert (await ring(site, copied, body)).json() == {**first, "duplicate": True}
        site.clock.advance(seconds=2)
        assert (await ring(site, copied, body)).status_code == 401


def flipped(body: bytes) -> bytes:
    return bytes([body[0] ^ 1, *body[1:]])


FORGED: list[tuple[str, Callable[[bytes], tuple[dict[str, str], bytes]]]] = [
    ("a bit of the body was flipped", lambda body: (signed(body), flipped(body))),
    ("it is six minutes old", lambda body: (signed(body, age=360), body)),
    ("it is from six minutes ahead", lambda body: (signed(body, age=-360), body)),
    (
        "it has a new timestamp",
        lambda body: ({**signed(body, age=360), "X-Picklebot-Timestamp": str(NOW)}, body),
    ),
    ("it is not signed", lambda body: ({"Content-Type": "application/json"}, body)),
    ("it has no timestamp", lambda body: ({**signed(body), "X-Picklebot-Timestamp": ""}, body)),
    (
        "its signature is no text of ours",
        lambda body: ({**signed(body), "X-Picklebot-Signature": "é".encode("latin-1").decode("latin-1")}, body),
    ),
]


@pytest.mark.parametrize("forge", [forge for _, forge in FORGED], ids=[why for why, _ in FORGED])
async def test_who_cannot_sign_hears_one_answer_and_begins_nothing(
    serve: Serve, hook: Callable[..., None], forge: Callable[[bytes], tuple[dict[str, str], bytes]]
) -> None:
    hook()
    headers, body = forge(json.dumps(BODY).encode())
    async with serve(ScriptedModel()) as site:
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        answer = await site.stranger.post("/hooks/tracker", content=body, headers=raw)
        nowhere = await site.stranger.post("/hooks/nowhere", content=body, headers=raw)
        assert (answer.status_code, answer.json()) == (401, UNSIGNED)
        assert (nowhere.status_code, nowhere.json()) == (401, UNSIGNED)
        assert await accepted(site) == []


async def test_the_daemons_token_opens_no_hook(serve: Serve, hook: Callable[..., None]) -> None:
    hook()
    async with serve(ScriptedModel()) as site:
        assert (await site.http.post("/hooks/tracker", json=BODY)).json() == UNSIGNED


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"x" * 2000, 413),
        ("application/x-www-form-urlencoded", b"payload=1", 415),
        ("", b"{}", 415),
        ("application/json", b"{", 400),
        ("application/json", b"[" * 900, 400),
        ("application/json; charset=utf-8", b"{}", 202),
        ("application/cloudevents+json", b'"text"', 202),
    ],
)
async def test_what_is_signed_is_still_to_be_json_of_a_sane_size(
    serve: Serve, hook: Callable[..., None], kind: str, body: bytes, status: int
) -> None:
    hook(max_bytes=1000)
    async with serve(ScriptedModel("Well.")) as site:
        answer = await ring(site, {**signed(body), "Content-Type": kind}, body)
        assert answer.status_code == status, answer.text
        assert len(await accepted(site)) == (status == 202)


async def test_a_program_that_signs_as_github_does_is_believed(serve: Serve, hook: Callable[..., None]) -> None:
    hook(signature="github", template="{{ headers.X-GitHub-Event }}: {{ body.issue.title }}")
    body = json.dumps(BODY).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "issues",
        "X-GitHub-Delivery": "72d3162e",
        "X-Hub-Signature-256": "sha256=" + hmac.digest(SECRET.encode(), body, "sha256").hex(),
    }
    async with serve(ScriptedModel("Sorted.", "Sorted again.")) as site:
        first = await ring(site, headers, body)
        again = await ring(site, headers, body)
        assert (first.status_code, again.json()["duplicate"]) == (202, True)
        [event] = await accepted(site)
        assert ">issues</outside-" in event.content
        # It signs no time, so that the same words under another id are another delivery.
        other = await ring(site, {**headers, "X-GitHub-Delivery": "72d3162f"}, body)
        assert not other.json()["duplicate"]


async def test_each_delivery_has_a_session_of_its_own_unless_all_share_one(
    serve: Serve, hook: Callable[..., None]
) -> None:
    for session, number in (("fresh", 2), ("keep", 1)):
        hook(session=session)
        body = json.dumps([session]).encode()
        async with serve(ScriptedModel("One.", "Two.")) as site:
            rings = [signed(body, delivery=f"{session}{n}", age=n) for n in range(2)]
            answers = [(await ring(site, headers, body)).json() for headers in rings]
            assert len({answer["session_id"] for answer in answers}) == number


async def test_its_answer_goes_to_where_the_owner_is_and_it_is_no_owner_itself(
    serve: Serve, hook: Callable[..., None]
) -> None:
    hook(deliver="last")
    body = json.dumps({"text": "/approve 1"}).encode()
    async with serve(ScriptedModel("Hello Ann.", "Something was opened.")) as site:
        async with site.socket(client="ann") as ws:
            await ws.say("hi", key="m1")
            await ws.event("OutboundEvent")
            await ring(site, signed(body), body)
            await ws.send({"type": "subscribe"})
            while (reply := await ws.event("OutboundEvent"))["content"] != "Something was opened.":
                pass
        assert (reply["source"], reply["to"]) == ("hook:tracker", "ws:ann")


async def test_an_agent_that_is_not_there_is_the_owners_to_know(serve: Serve, hook: Callable[..., None]) -> None:
    hook(agent="nobody")
    body = b"{}"
    async with serve(ScriptedModel()) as site:
        answer = await ring(site, signed(body), body)
        assert answer.status_code == 503
        assert "echo" not in answer.text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", r"gateway\.hooks\.tracker\.secret_env: TRACKER_SECRET is neither in the environment"),
        ("TRACKER_SECRET=short", "has 5 characters, and 16 are needed"),
    ],
)
def test_a_hook_without_a_secret_worth_one_is_an_error_at_the_start(
    hook: Callable[..., None], workspace: Path, line: str, words: str
) -> None:
    hook()
    (workspace / ".env").write_text(f"{line}\n")
    config: Any = load(Workspace(workspace), {})
    with pytest.raises(ConfigError, match=words):
        hooks_of(config)
