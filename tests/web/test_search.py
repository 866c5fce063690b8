"""Search services, as their answers come over the wire."""

import json

import pytest

from picklebot.errors import ToolError
from picklebot.web.search import WebSearch
from tests.web.conftest import Site


async def test_searxng_is_asked_for_json(site: Site) -> None:
    hits = [{"title": f"Tea {n}", "url": f"https://tea.example/{n}", "content": "hot"} for n in range(20)]
    site.says("/search", json.dumps({"results": hits}), "application/json")
    found = await WebSearch(service="searxng", url=site.url("").rstrip("/"), key=None).search("green tea", 8)
    assert [hit.url for hit in found] == [f"https://tea.example/{n}" for n in range(8)]
    assert dict(site.asked[0].query) == {"q": "green tea", "format": "json"}


async def test_brave_is_asked_with_its_key(site: Site) -> None:
    hit = {"title": "Tea", "url": "https://tea.example/", "description": "hot"}
    site.says("/res/v1/web/search", json.dumps({"web": {"results": [hit]}}), "application/json")
    found = await WebSearch(service="brave", url=site.url("").rstrip("/"), key="k-1").search("tea", 3)
    assert [(each.title, each.summary) for each in found] == [("Tea", "hot")]
    assert site.asked[0].headers["X-Subscription-Token"] == "k-1"


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, "{}", "key is not valid"),
        (429, "{}", "too often"),
        (302, "{}", "302"),
        (200, "<html>", "no JSON"),
        (200, "[]", "unexpected"),
        (200, '{"results": [{}]}', "unexpected"),
        (200, " " * 1_100_000, "more than"),
    ],
)
async def test_trouble_with_a_search_is_said_in_words(site: Site, status: int, body: str, words: str) -> None:
    site.says("/search", body, "application/json", status=status)
    with pytest.raises(ToolError, match=words) as caught:
        await WebSearch(service="searxng", url=site.url("").rstrip("/"), key="k-1").search("tea", 3)
    assert "k-1" not in str(caught.value)


async def test_a_service_that_is_away_is_said_in_words() -> None:
    with pytest.raises(ToolError, match="cannot be reached"):
        await WebSearch(service="searxng", url="http://127.0.0.2:1", key=None).search("tea", 3)
