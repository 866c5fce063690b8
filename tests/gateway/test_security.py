"""Who is let in, and how: each name is a line of the list of security defaults."""

import asyncio
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from picklebot.clock import SystemClock
from picklebot.config import load
from picklebot.errors import ConfigError
from picklebot.gateway.port import bind
from picklebot.gateway.secret import FixedToken, TokenFile
from picklebot.testing import ScriptedModel
from picklebot.workspace import Workspace
from tests.gateway.conftest import PATIENCE, Serve, code, logged_in, raw, refused

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "example.org"])
def test_s1_other_machines_are_let_near_only_with_a_token_that_was_chosen(
    gateway: Callable[..., None], workspace: Path, host: str
) -> None:
    gateway(host=host)
    with pytest.raises(ConfigError, match="token_env"):
        load(Workspace(workspace), {})
    gateway(host=host, token_env="GATE")
    (workspace / ".env").write_text(f"GATE={'x' * 32}\n")
    (workspace / ".env").chmod(0o600)
    assert load(Workspace(workspace), {}).gateway.host == host


async def test_s2_the_token_is_made_once_has_256_bits_and_is_its_owners_alone(serve: Serve, workspace: Path) -> None:
    async with serve(ScriptedModel(), own_token=True) as first:
        pass
    async with serve(ScriptedModel(), own_token=True) as again:
        assert again.token == first.token
    assert len(first.token) == 43  # 32 bytes in base64
    assert stat.S_IMODE((workspace / ".picklebot" / "token").stat().st_mode) == 0o600


def test_s2_no_token_is_empty_or_short(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="24 are needed"):
        FixedToken("secret", variable="GATE")
    (tmp_path / "token").write_text("\n")
    assert TokenFile(tmp_path / "token").digest() is None


async def test_s3_everything_but_healthz_answers_401_without_the_token(serve: Serve) -> None:
    async with serve(ScriptedModel()) as site:
        described = (await site.http.get("/api/openapi.json")).json()["paths"]
        paths = {path.replace("{id}", "x").replace("{code}", "x") for path in described} | {
            "/",
            "/ws",
            "/nowhere",
            "//",
        }
        for path in paths - {"/healthz"}:
            for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
                if path.startswith("/login/") and method == "GET":
                    continue
                answer = await site.stranger.request(method, path, headers=JSON)
                assert code(answer) == (401, "unauthorized"), (method, path)
        assert await refused(site) == 401
        assert (await site.stranger.get("/healthz")).json() == {"status": "ok"}


async def test_s4_a_token_of_any_characters_is_only_wrong(serve: Serve) -> None:
    async with serve(ScriptedModel()) as site:
        for token in ("é", "ÿ" * 43, "", " ", site.token + "x", site.token[:-1], site.token.lower(), "a" * 5000):
            answer = await raw(
                site, "GET / HTTP/1.1", f"Host: {site.host}", f"Authorization: Bearer {token}", "Connection: close"
            )
            assert answer[0] == 401, token


async def test_s5_a_token_counts_in_the_header_alone(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    async with serve(ScriptedModel()) as site:
        for asked in (f"?token={site.token}", f"?access_token={site.token}", f"?authorization=Bearer%20{site.token}"):
            assert (await site.stranger.get(f"/api/status{asked}")).status_code == 401
            assert (await site.stranger.get(f"/login/{site.token}")).status_code == 401
        for cookie in ("token", "picklebot", f"picklebot_{site.host.split(':')[1]}"):
            answer = await site.stranger.get("/api/status", headers={"Cookie": f"{cookie}={site.token}"})
            assert answer.status_code == 401
        other = await site.http.get("/api/events", params={"token": site.token})
        assert code(other) == (400, "bad_request")
        assert site.token not in other.text
    assert site.token not in caplog.text


ORIGINS = ["http://evil.example", "null", "", "file://", "http://127.0.0.1", "http://127.0.0.1:1", "https://{host}"]
ORIGINS += ["http://{host}.evil.example", "http://evil{host}", "http://{host}/", "http://localhost.evil:{port}"]


async def test_s6_a_page_of_somebody_else_may_ask_nothing(serve: Serve) -> None:
    async with serve(ScriptedModel("hello")) as site:
        for origin in ORIGINS:
            given = {"Origin": origin.format(host=site.host, port=site.host.split(":")[1])}
            answer = await site.http.post("/api/messages", json={"content": "hi"}, headers=given)
            assert code(answer) == (403, "foreign_origin"), origin
            assert await refused(site, **site.bearer, **given) == 403
        async with site.socket(Origin=site.url) as ws:
            await ws.send({"type": "ping"})
            assert (await ws.read())["type"] == "pong"


HOSTS = [
    "attacker.example",
    "localhost.evil:{port}",
    "127.0.0.1.:{port}",
    "localhost",
    "127.0.0.1",
    "localhost:{port}.",
]
HOSTS += ["127.0.0.1:1", "127.1:{port}", "0.0.0.0:{port}", "2130706433:{port}", "evil.example@127.0.0.1:{port}", ""]


async def test_s7_it_answers_to_its_own_names_only(serve: Serve) -> None:
    async with serve(ScriptedModel()) as site:
        port = site.host.split(":")[1]
        bearer = f"Authorization: Bearer {site.token}"
        for host in HOSTS:
            status, _, text = await raw(
                site, "GET /api/status HTTP/1.1", f"Host: {host.format(port=port)}", bearer, "Connection: close"
            )
            assert status == 421, (host, text)
        for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"LocalHost:{port}", f"[::1]:{port}"):
            assert (await raw(site, "GET /healthz HTTP/1.1", f"Host: {host}", "Connection: close"))[0] == 200
        assert (await raw(site, "GET /healthz HTTP/1.1", "Connection: close"))[0] == 400
        two = (f"Host: {site.host}", "Host: attacker.example")
        assert (await raw(site, "GET /healthz HTTP/1.1", *two, bearer))[0] == 400
        assert (await raw(site, "GET /healthz HTTP/1.0", bearer))[0] == 421
        assert await refused(site, **site.bearer, Host="attacker.example") in {400, 421}


async def test_s7_a_proxy_is_known_by_the_names_that_are_set(serve: Serve, gateway: Callable[..., None]) -> None:
    gateway(allow_hosts=["bot.example.org"])
    async with serve(ScriptedModel()) as site:
        named = {"Host": "bot.example.org"}
        assert (await site.http.get("/readyz", headers=named)).status_code == 200
        assert (
            await site.http.get("/readyz", headers={**named, "Origin": "https://bot.example.org"})
        ).status_code == 200
        assert (await site.http.get("/readyz", headers={**named, "Origin": site.url})).status_code == 403
        assert (await site.http.get("/readyz", headers={"Host": "bot.example.org:1"})).status_code == 421


async def test_s8_what_changes_something_is_json_and_no_other_page_is_told_that_it_may(serve: Serve) -> None:
    async with serve(ScriptedModel()) as site:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json"):
            answer = await site.http.post("/api/messages", content=b'{"content":"hi"}', headers={"Content-Type": kind})
            assert code(answer) == (415, "json_only"), kind
        answer = await site.http.post("/api/messages", content=b'{"content":"hi"}')
        assert code(answer) == (415, "json_only")
        preflight = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
        for given in (preflight, {**preflight, "Origin": site.url}):
            answer = await site.http.options("/api/messages", headers=given)
            assert answer.status_code >= 400
            assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_s9_and_s10_what_a_request_claims_beside_its_token_opens_nothing(serve: Serve) -> None:
    claims = {"X-Scopes": "admin", "X-User": "owner", "X-Role": "admin", "Authorization": "Bearer admin"}
    async with serve(ScriptedModel()) as site:
        assert (await site.stranger.get("/api/status", headers=claims)).status_code == 401
        for scheme in ("Basic", "Token", ""):
            given = {"Authorization": f"{scheme} {site.token}".strip()}
            assert (await site.stranger.get("/api/status", headers=given)).status_code == 401
        two = [("Authorization", "Bearer x"), ("Authorization", f"Bearer {site.token}")]
        assert (await site.stranger.get("/api/status", headers=two)).status_code == 401


async def test_s11_no_address_in_a_request_leads_anywhere(serve: Serve) -> None:
    async with serve(ScriptedModel()) as site:
        answer = await site.http.get("/api/events", params={"gatewayUrl": "http://evil.example"})
        assert code(answer) == (400, "bad_request")
        link = await site.http.post(
            "/api/login", headers={"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil"}
        )
        assert link.json()["url"].startswith(f"{site.url}/login/")


async def test_s12_a_new_token_ends_what_came_in_with_the_old_one_within_a_second(
    serve: Serve, workspace: Path
) -> None:
    async with serve(ScriptedModel(), use_clock=SystemClock()) as site, site.socket() as ws:
        cookie = await logged_in(site)
        (workspace / ".picklebot" / "token").write_text("n" * 43)
        loop = asyncio.get_running_loop()
        began = loop.time()
        assert (await site.http.get("/readyz")).status_code == 401
        assert (await site.stranger.get("/readyz", headers=cookie)).status_code == 401
        assert await ws.closed() == 1008
        assert loop.time() - began < 1.0
        assert (await site.stranger.get("/readyz", headers={"Authorization": f"Bearer {'n' * 43}"})).status_code == 200
        (workspace / ".picklebot" / "token").unlink()
        assert (await site.stranger.get("/readyz", headers={"Authorization": f"Bearer {'n' * 43}"})).status_code == 401


async def test_s13_who_is_wrong_too_often_hears_only_that_and_locks_nobody_else_out(serve: Serve) -> None:
    async with serve(ScriptedModel()) as site:
        wrong = {"Authorization": "Bearer wrong"}
        answers = [await site.stranger.get("/readyz", headers=wrong) for _ in range(15)]
        assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 5
        assert {answer.content for answer in answers[:10]} == {answers[0].content}
        assert {answer.content for answer in answers[10:]} == {answers[10].content}
        assert int(answers[-1].headers["Retry-After"]) >= 1
        assert code(await site.stranger.get("/login/wrong"))[0] == 429
        assert (await site.http.get("/readyz")).status_code == 200
        assert (await site.stranger.get("/readyz")).status_code == 401  # who shows nothing guesses nothing
        site.clock.advance(seconds=60)
        assert (await site.stranger.get("/readyz", headers=wrong)).status_code == 401


async def test_s14_what_is_too_large_is_refused(serve: Serve) -> None:
    async with serve(ScriptedModel()) as site:
        large = b'{"content":"' + b"x" * 1_000_001 + b'"}'
        assert code(await site.http.post("/api/messages", content=large, headers=JSON)) == (413, "too_large")

        async def pieces() -> object:
            for _ in range(20):
                yield b"x" * 100_000

        answer = await site.http.post("/api/messages", content=pieces(), headers=JSON)  # type: ignore[arg-type]
        assert code(answer) == (413, "too_large")
        async with site.socket() as ws:
            await ws.say("x" * 262_144, key="large")
            assert await ws.closed() == 1009
        endless = f"GET /healthz HTTP/1.1\r\nHost: {site.host}\r\nX: {'y' * 40_000}"
        assert (await raw(site, endless, whole=False))[0] == 400


async def test_s14_there_are_only_so_many_connections(serve: Serve, gateway: Callable[..., None]) -> None:
    gateway(max_connections=4)
    async with serve(ScriptedModel()) as site:
        async with site.socket(), site.socket(), site.socket(), site.socket():
            assert (await raw(site, "GET /healthz HTTP/1.1", f"Host: {site.host}"))[0] == 503
        async with asyncio.timeout(PATIENCE):
            while (await raw(site, "GET /healthz HTTP/1.1", f"Host: {site.host}", "Connection: close"))[0] == 503:
                pass


async def test_s15_who_a_proxy_says_to_speak_for_is_not_believed(serve: Serve) -> None:
    async with serve(ScriptedModel()) as site:
        wrong = {"Authorization": "Bearer wrong"}
        tried = [
            await site.stranger.get("/readyz", headers={**wrong, "X-Forwarded-For": f"198.51.100.{n}"})
            for n in range(12)
        ]
        assert tried[-1].status_code == 429
        spoofed = {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "X-Forwarded-Host": site.host}
        assert (await site.stranger.get("/readyz", headers=spoofed)).status_code == 401
        assert (await site.http.get("/readyz", headers={"Host": "evil.example", **spoofed})).status_code == 421


async def test_s17_no_setting_can_be_written(serve: Serve) -> None:
    async with serve(ScriptedModel()) as site:
        for path in ("/api/config", "/api/settings", "/api/agents", "/api/agents/echo", "/api/crons", "/api/tools"):
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                answer = await site.http.request(method, path, json={"a": 1})
                assert answer.status_code in {404, 405}, (method, path)
                assert answer.json()["error"]["message"]


async def test_a_port_that_is_taken_is_said_in_words(serve: Serve) -> None:
    async with serve(ScriptedModel()) as site:
        with pytest.raises(ConfigError, match=r"gateway.port: \d+ of 127.0.0.1 cannot be had"):
            bind("127.0.0.1", int(site.host.split(":")[1]))
