"""Pages over real sockets. The site at 127.0.0.2 was opened and stands for the web; 127.0.0.1 must never be asked."""

import asyncio
import gzip
import logging
import zlib
from collections.abc import Callable

import pytest
from aiohttp import web

from picklebot.errors import ToolDenied, ToolError
from picklebot.web.addresses import Reach
from picklebot.web.pages import MAX_BYTES, REDIRECTS, Pages
from tests.web.conftest import CLOSED, OPEN, Names, Site

ARTICLE = "<html><head><title>Tea</title></head><body><h1>Tea</h1><p>Steep it for three minutes.</p></body></html>"


async def test_a_page_is_read_as_text(pages: Pages, site: Site) -> None:
    site.says("/tea", ARTICLE)
    page = await pages.fetch(site.url("/tea"))
    assert (page.title, page.url) == ("Tea", site.url("/tea"))
    assert "Steep it for three minutes." in page.text
    assert page.notes == ()


async def test_plain_text_and_json_stay_as_they_are(pages: Pages, site: Site) -> None:
    site.says("/a", "a < b\n", "text/plain; charset=latin-1")
    site.says("/b", '{"a": [1]}', "application/problem+json")
    assert (await pages.fetch(site.url("/a"))).text == "a < b\n"
    assert (await pages.fetch(site.url("/b"))).text == '{"a": [1]}'


async def test_a_name_that_leads_to_this_machine_is_not_followed(pages: Pages, names: Names, secret_site: Site) -> None:
    names.of["evil.example"] = [[CLOSED]]
    with pytest.raises(ToolDenied, match="not on the public internet"):
        await pages.fetch(secret_site.url(host="evil.example"))


async def test_one_closed_address_among_several_closes_the_name(
    pages: Pages, site: Site, names: Names, secret_site: Site
) -> None:
    names.of["evil.example"] = [[OPEN, CLOSED]]
    with pytest.raises(ToolDenied):
        await pages.fetch(site.url(host="evil.example"))
    assert site.asked == []


async def test_a_number_of_this_machine_is_not_followed(pages: Pages, secret_site: Site) -> None:
    for host in (CLOSED, "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254"):
        with pytest.raises(ToolDenied):
            await pages.fetch(secret_site.url(host=host))


async def test_a_name_that_changes_its_address_between_two_looks_reaches_nothing(
    pages: Pages, site: Site, names: Names, secret_site: Site
) -> None:
    """Rebinding: public when it is asked first, this machine when its own redirect is followed."""
    names.of["evil.example"] = [[OPEN], [CLOSED]]
    site.says("/", "", status=302, Location=f"http://evil.example:{secret_site.port}/")
    with pytest.raises(ToolDenied):
        await pages.fetch(site.url(host="evil.example"))
    assert names.asked == ["evil.example", "evil.example"]
    assert len(site.asked) == 1


@pytest.mark.parametrize("host", [CLOSED, "169.254.169.254", "[::1]", "localhost", "2130706433", "[::ffff:7f00:1]"])
async def test_a_redirect_to_this_machine_is_not_followed(
    pages: Pages, site: Site, names: Names, secret_site: Site, host: str
) -> None:
    names.of["localhost"] = [[CLOSED, "::1"]]
    site.says("/", "", status=302, Location=secret_site.url(host=host))
    with pytest.raises(ToolError):
        await pages.fetch(site.url())


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "http://u:p@a.example/", "http://a\x01b/", "//[", "gopher://x/"]
)
async def test_a_redirect_to_what_is_no_page_is_not_followed(pages: Pages, site: Site, location: str) -> None:
    site.says("/", "", status=302, Location=location.replace("\x01", "%01%00") if "\x01" in location else location)
    with pytest.raises(ToolError):
        await pages.fetch(site.url())


async def test_redirects_are_followed_a_few_times(pages: Pages, site: Site) -> None:
    for n in range(REDIRECTS):
        site.says(f"/{n}", "", status=307, Location=f"/{n + 1}")
    site.says(f"/{REDIRECTS}", "here", "text/plain")
    page = await pages.fetch(site.url("/0"))
    assert (page.text, page.url) == ("here", site.url(f"/{REDIRECTS}"))
    site.says(f"/{REDIRECTS}", "", status=307, Location="/more")
    with pytest.raises(ToolError, match="redirects"):
        await pages.fetch(site.url("/0"))


async def test_a_proxy_of_the_environment_is_not_asked(
    pages: Pages, site: Site, secret_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.says("/", "direct", "text/plain")
    monkeypatch.setenv("HTTP_PROXY", secret_site.url())
    monkeypatch.setenv("http_proxy", secret_site.url())
    assert (await pages.fetch(site.url())).text == "direct"


async def test_a_page_is_cut_at_its_bound(pages: Pages, site: Site) -> None:
    site.says("/", b"x" * (MAX_BYTES + 1), "text/plain")
    page = await pages.fetch(site.url())
    assert len(page.text) == MAX_BYTES
    assert page.notes


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
async def test_a_bomb_is_unpacked_to_the_bound_only(pages: Pages, site: Site, pack: Callable[[bytes], bytes]) -> None:
    encoding = "gzip" if pack is gzip.compress else "deflate"
    site.says("/", pack(bytes(60_000_000)), "text/plain", Content_Encoding=encoding)
    assert len((await pages.fetch(site.url())).text) == MAX_BYTES


async def test_a_packing_nobody_asked_for_is_refused(pages: Pages, site: Site) -> None:
    site.says("/", b"x", "text/plain", Content_Encoding="br")
    with pytest.raises(ToolError, match="'br'"):
        await pages.fetch(site.url())
    site.says("/", b"not gzip", "text/plain", Content_Encoding="gzip")
    with pytest.raises(ToolError, match="cannot be read"):
        await pages.fetch(site.url())


async def test_a_server_that_drips_is_left(site: Site, names: Names, pages: Pages) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.02)

    site.answers["/"] = drip
    impatient = Pages(reach=pages._reach, lookup=names.look_up, seconds=0.2)
    with pytest.raises(ToolError, match=r"longer than 0\.2 s"):
        await impatient.fetch(site.url())


async def test_headers_without_end_are_not_read(pages: Pages, site: Site) -> None:
    site.says("/", "x", "text/plain", X_Long="y" * 20_000)
    with pytest.raises(ToolError, match="broken"):
        await pages.fetch(site.url())


@pytest.mark.parametrize(
    ("status", "kind", "words"), [(404, "text/html", "404"), (500, "text/html", "500"), (200, "image/png", "no text")]
)
async def test_what_is_no_text_is_said_in_words(pages: Pages, site: Site, status: int, kind: str, words: str) -> None:
    site.says("/", b"\x89PNG", kind, status=status)
    with pytest.raises(ToolError, match=words):
        await pages.fetch(site.url())


async def test_a_host_that_is_not_there_is_said_in_words(pages: Pages, site: Site) -> None:
    with pytest.raises(ToolError, match=r"no host 'nowhere\.example'"):
        await pages.fetch("http://nowhere.example/")
    with pytest.raises(ToolError, match="no connection"):
        await pages.fetch(f"http://{OPEN}:443/")


async def test_a_port_that_is_none_of_the_webs_is_refused(names: Names, site: Site) -> None:
    names.of["a.example"] = [["93.184.215.14"]]
    with pytest.raises(ToolDenied, match="port 6379"):
        await Pages(reach=Reach(), lookup=names.look_up).fetch("http://a.example:6379/")


async def test_where_bytes_went_is_in_the_log(pages: Pages, site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.says("/", "x", "text/plain")
    with caplog.at_level(logging.INFO, "picklebot.web.pages"):
        await pages.fetch(site.url("/?secret=1"))
    assert OPEN in caplog.text
    assert "secret" not in caplog.text
