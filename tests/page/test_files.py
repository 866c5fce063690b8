"""The files of the page: whole, what they claim to be, and behind the guard."""

import hashlib
import json
from pathlib import Path

import pytest

from checks.tree import TOP
from picklebot.gateway.page import read_files
from picklebot.testing import ScriptedModel
from tests.page.conftest import Serve

PAGE = TOP / "picklebot" / "gateway" / "page"
VENDORED = [PAGE / "vendor", TOP / "tests" / "page" / "vendor"]


@pytest.mark.parametrize("folder", VENDORED, ids=["page", "tests"])
def test_what_was_taken_from_others_is_what_is_recorded_and_brings_its_license(folder: Path) -> None:
    recorded = json.loads((folder / "vendored.json").read_text())
    assert set(recorded) == {path.name for path in folder.iterdir()} - {"vendored.json", "LICENSE.txt"}
    for name, facts in recorded.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == facts["sha256"], name
        assert facts["version"]
        assert facts["name"] in (folder / "LICENSE.txt").read_text() or "axe" in facts["name"]


def test_no_file_of_the_page_is_long_or_speaks_of_another_place() -> None:
    for path in sorted(PAGE.glob("*")):
        if path.is_file():
            text = path.read_text()
            assert len(text.splitlines()) <= 300, path.name
            assert "://" not in text.replace("http://www.w3.org/", "").replace("}://${location.host}/", ""), path.name


async def test_everybody_who_is_not_logged_in_gets_401_for_every_file(serve: Serve) -> None:
    async with serve(ScriptedModel()) as site:
        for path in ("/", *(f"/page/{name}" for name in read_files()), "/page/nothing", "/page/../page.py"):
            assert (await site.stranger.get(path)).status_code == 401, path
        assert (await site.http.get("/page/nothing")).status_code == 404
        assert (await site.http.get("/page/%2e%2e/page.py")).status_code == 404


async def test_a_browser_that_is_not_logged_in_reads_what_to_do(serve: Serve) -> None:
    async with serve(ScriptedModel()) as site:
        answer = await site.stranger.get("/", headers={"Accept": "text/html,*/*;q=0.8"})
        assert (answer.status_code, answer.headers["content-type"]) == (401, "text/html; charset=utf-8")
        assert "picklebot status" in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        spent = await site.stranger.get("/login/nothing", headers={"Accept": "text/html"})
        assert (spent.status_code, "this link is spent" in spent.text) == (401, True)
        lost = await site.http.get("/<b>nowhere", headers={"Accept": "text/html"})
        assert (lost.status_code, "<b>" in lost.text) == (404, False)


async def test_a_file_that_the_browser_has_is_not_sent_again(serve: Serve) -> None:
    async with serve(ScriptedModel()) as site:
        first = await site.http.get("/page/main.js")
        tag = first.headers["etag"]
        again = await site.http.get("/page/main.js", headers={"If-None-Match": f'"other", W/{tag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert (await site.http.get("/page/main.js", headers={"If-None-Match": '"other"'})).status_code == 200
        assert first.headers["cache-control"] == "no-cache"
