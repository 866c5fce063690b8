"""How a browser comes in, and what it may do then."""

import stat
from collections.abc import Callable
from pathlib import Path

from websockets.asyncio.client import connect

from picklebot.testing import ScriptedModel
from tests.cli.inside import document
from tests.gateway.conftest import Serve, code, logged_in, refused


async def test_a_browser_is_let_in_by_a_link_that_works_once(serve: Serve, workspace: Path) -> None:
    async with serve(ScriptedModel()) as site:
        link = (await site.http.post("/api/login")).json()["url"]
        assert (await site.stranger.head(link)).status_code == 405
        answer = await site.stranger.get(link)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
        attributes = {part.strip().lower() for part in answer.headers["Set-Cookie"].split(";")[1:]}
        assert {"httponly", "samesite=strict", "path=/"} <= attributes
        cookie = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
        site.stranger.cookies.clear()
        assert code(await site.stranger.get(link)) == (401, "bad_link")
        assert (await site.stranger.get("/readyz", headers=cookie)).status_code == 200
        late = (await site.http.post("/api/login")).json()["url"]
        site.clock.advance(seconds=601)
        assert (await site.stranger.get(late)).status_code == 401
    shown = await document(workspace, "audit", "log", "--kind", "login")
    assert [each["body"]["what"] for each in shown["entries"]] == [
        "a login link was given out",
        "a browser was let in",
        "a wrong login",
        "a login link was given out",
        "a wrong login",
    ]


async def test_a_browser_changes_something_only_from_a_page_of_ours(serve: Serve) -> None:
    async with serve(ScriptedModel("hello")) as site:
        cookie, ours = await logged_in(site), {"Origin": site.url}
        said = {"content": "hi"}
        assert code(await site.stranger.post("/api/messages", json=said, headers=cookie)) == (403, "foreign_origin")
        empty = await site.stranger.post("/api/logout", headers={**cookie, **ours})
        assert code(empty) == (415, "json_only")
        assert (await site.stranger.post("/api/messages", json=said, headers={**cookie, **ours})).status_code == 202
        assert code(await site.stranger.post("/api/login", json={}, headers={**cookie, **ours})) == (403, "bearer_only")
        assert await refused(site, **cookie) == 403
        async with connect(f"ws://{site.host}/ws", additional_headers={**cookie, **ours}, proxy=None):
            pass
        assert (await site.stranger.post("/api/logout", json={}, headers={**cookie, **ours})).status_code == 200
        assert (await site.stranger.get("/readyz", headers=cookie)).status_code == 401


async def test_a_login_outlives_a_restart_and_only_its_digest_is_kept(
    serve: Serve, workspace: Path, gateway: Callable[..., None]
) -> None:
    async with serve(ScriptedModel()) as site:
        cookie = await logged_in(site)
        gateway(port=int(site.host.split(":")[1]))
    kept = workspace / ".picklebot" / "logins.json"
    assert cookie["Cookie"].partition("=")[2] not in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    async with serve(ScriptedModel()) as again:
        assert again.url == site.url  # the same port at once
        assert (await again.stranger.get("/readyz", headers=cookie)).status_code == 200
        again.clock.advance(days=31)
        assert (await again.stranger.get("/readyz", headers=cookie)).status_code == 401
