"""A server like OpenAI's `/v1/embeddings`, on loopback, with vectors that mean something.

What it knows is a small thesaurus: words of several languages that mean the same share one dimension of a vector, and
every other word has one of the many that are left, chosen by its hash. So two texts are near exactly if they speak of
the same things. It is no language model, and no figure of recall is taken from it; it shows that vectors are asked for,
kept, merged and missed as they should be.
"""

import zlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from picklebot.memory.terms import terms_of

THESAURUS = (
    "bicycle bike fahrrad velo 自 转 車",
    "key schlussel cle llave unlock 鍵 钥",
    "dentist zahnarzt teeth toothache 歯",
    "cat katze tomcat kitten 猫",
    "money euros pay salary wage",
    "rain wet umbrella storm",
)
SIZE = 256
_CONCEPTS = {word: place for place, line in enumerate(THESAURUS) for word in line.split()}


def vector(text: str) -> list[float]:
    """Return the vector of a text."""
    numbers = [0.0] * SIZE
    for term in terms_of(text):
        concept = _CONCEPTS.get(term)
        if concept is not None:
            numbers[concept] += 3.0
        else:
            numbers[len(THESAURUS) + zlib.crc32(term.encode()) % (SIZE - len(THESAURUS))] += 0.5
    return numbers if any(numbers) else [1.0] * SIZE


@dataclass
class Server:
    """What it was asked, and what it answers instead of vectors, if anything."""

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    instead: Callable[[], web.StreamResponse] | None = None

    @property
    def texts(self) -> list[str]:
        """Every text that was sent."""
        return [text for body in self.asked for text in body["input"]]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer a request."""
        body = await request.json()
        self.asked.append(body)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        if self.instead is not None:
            return self.instead()
        texts = [text.removeprefix("query: ").removeprefix("passage: ") for text in body["input"]]
        data = [{"index": place, "embedding": vector(text)} for place, text in enumerate(texts)]
        return web.json_response({"object": "list", "data": data[::-1], "model": body["model"]})


@asynccontextmanager
async def serving() -> AsyncGenerator[Server]:
    """Run one."""
    server = Server()
    app = web.Application(client_max_size=10_000_000)
    app.router.add_post("/v1/embeddings", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()
