"""A real browser before the whole daemon.

    async def test_something(serve: Serve, open_page: OpenPage) -> None:
        async with serve(ScriptedModel("hello")) as site, open_page(site, PHONE) as page:   # logged in by the link
            await page.get_by_role("textbox").fill("hi")                                     # playwright's Page

A file of such tests says `pytestmark = IN_ONE_LOOP`, because its browser lives as long as its loop. Everything that the page says on its console, or throws, or asks of another machine, is a failure of the test.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypedDict

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright, expect

from tests.browsers import browser_of
from tests.gateway.conftest import OneModel as OneModel
from tests.gateway.conftest import Serve as Serve
from tests.gateway.conftest import Site as Site
from tests.gateway.conftest import agent as agent
from tests.gateway.conftest import clock as clock
from tests.gateway.conftest import gateway as gateway
from tests.gateway.conftest import mine as mine
from tests.gateway.conftest import serve as serve

ARGUMENTS = [
    "--no-sandbox",  # the tests run as root in some places, where Chromium's own has no ground to stand on
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 15_000  #: milliseconds until something that should be seen counts as missing


class Screen(TypedDict, total=False):
    """What a browser is held in."""

    viewport: Any
    is_mobile: bool
    has_touch: bool


IN_ONE_LOOP = pytest.mark.asyncio(loop_scope="module")
DESK: Screen = {"viewport": {"width": 1280, "height": 800}}
PHONE: Screen = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
SCREENS = [pytest.param(DESK, id="desk"), pytest.param(PHONE, id="phone")]


@dataclass
class Complaints:
    """What went wrong on a page that no person would see."""

    heard: list[str] = field(default_factory=list[str])
    expected: tuple[str, ...] = ()

    def listen(self, page: Page, origin: str) -> None:
        """Hear everything."""
        page.on("pageerror", lambda error: self.heard.append(f"it threw {error}"))
        page.on("console", self._said)
        page.on("request", lambda asked: self._asked(asked.url, origin))

    def _said(self, said: ConsoleMessage) -> None:
        if said.type in {"error", "warning"} and not any(words in said.text for words in self.expected):
            self.heard.append(f"its console says {said.text}")

    def _asked(self, url: str, origin: str) -> None:
        if not url.startswith(f"{origin}/"):
            self.heard.append(f"it asked for {url}")


class OpenPage(Protocol):
    """Opens the page of a daemon in a browser of its own, logged in, for as long as the block lasts."""

    def __call__(
        self, site: Site, screen: Screen = DESK, *, at: str = "", expected: tuple[str, ...] = (), **options: Any
    ) -> AbstractAsyncContextManager[Page]: ...


@pytest.fixture(scope="session")
def browser_path(request: pytest.FixtureRequest) -> Path:
    """Where the machine has no browser, whoever asks for this is left out."""
    return browser_of(request.config)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(browser_path: Path) -> AsyncIterator[Browser]:
    """One browser for the tests of a file; each page has a profile of its own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=browser_path, args=ARGUMENTS)
        expect.set_options(timeout=PATIENCE)
        try:
            yield browser
        finally:
            await browser.close()


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def threads() -> AsyncIterator[None]:
    """The threads of a test end with it, though its loop goes on."""
    with ThreadPoolExecutor() as executor:
        asyncio.get_running_loop().set_default_executor(executor)
        yield


@pytest.fixture
def open_page(browser: Browser) -> OpenPage:
    @asynccontextmanager
    async def opened(
        site: Site, screen: Screen = DESK, *, at: str = "", expected: tuple[str, ...] = (), **options: Any
    ) -> AsyncGenerator[Page, None]:
        context = await browser.new_context(**screen, **options)
        complaints = Complaints(expected=expected)
        try:
            page = await context.new_page()
            page.set_default_timeout(PATIENCE)
            complaints.listen(page, site.url)
            await log_in(site, context, page)
            if at:
                await page.goto(f"{site.url}/#/{at}")
            yield page
        finally:
            await context.close()
        assert not complaints.heard, complaints.heard

    return opened


async def log_in(site: Site, context: BrowserContext, page: Page) -> None:
    """Come in as a person does: by the link."""
    answer = await site.http.post("/api/login", json={})
    await page.goto(answer.json()["url"])


async def say(page: Page, text: str) -> None:
    """Write a message and send it."""
    field = page.get_by_role("textbox", name="Message")
    await field.fill(text)
    await field.press("Enter")
