"""Two servers: one at an address that was opened and so stands for the public web, one that nobody may reach."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from picklebot.settings.web import Permit
from picklebot.web.addresses import Reach
from picklebot.web.pages import Pages

OPEN, CLOSED = "127.0.0.2", "127.0.0.1"


@dataclass
class Site:
    """A web server. `answers` maps a path to what answers there; `asked` is every request that came."""

    address: str
    answers: dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]]] = field(default_factory=dict)
    asked: list[web.Request] = field(default_factory=list)
    port: int = 0

    def url(self, path: str = "/", host: str | None = None) -> str:
        return f"http://{host or self.address}:{self.port}{path}"

    def says(self, path: str, body: str | bytes, kind: str = "text/html", status: int = 200, **headers: str) -> None:
        async def answer(_: web.Request) -> web.StreamResponse:
            content = body.encode() if isinstance(body, str) else body
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            return web.Response(body=content, status=status, headers={"Content-Type": kind, **sent})

        self.answers[path] = answer

    async def respond(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        answer = self.answers.get(request.path)
        return await answer(request) if answer else web.Response(status=404)


@dataclass
class Names:
    """A DNS of our own; a name that has several answers gives them in turn."""

    of: dict[str, list[Sequence[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def look_up(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answers = self.of.get(host)
        if not answers:
            raise OSError("no such host")
        return answers.pop(0) if len(answers) > 1 else answers[0]


async def serve(site: Site) -> web.AppRunner:
    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", site.respond)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, site.address, 0).start()
    site.port = runner.addresses[0][1]
    return runner


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    opened = Site(OPEN)
    runner = await serve(opened)
    yield opened
    await runner.cleanup()


@pytest.fixture
async def secret_site() -> AsyncIterator[Site]:
    """What stands on the machine itself: a router's page, a cloud's metadata."""
    closed = Site(CLOSED)
    closed.says("/", "the key is 42")
    runner = await serve(closed)
    yield closed
    assert closed.asked == [], "an address was reached that is not public"
    await runner.cleanup()
    await asyncio.sleep(0)


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
def pages(site: Site, names: Names) -> Pages:
    """Fetches from the open site's address, on any port, as if it were public."""
    opened = [Permit.parse(f"{OPEN}:{port}") for port in (site.port, 80, 443)]
    return Pages(reach=Reach(opened), lookup=names.look_up, seconds=5)
