"""Finding notes by what they mean, over a real socket."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from picklebot.agent.recall import CLOSE
from picklebot.errors import ModelRejected, ModelUnavailable
from picklebot.memory.embedding import Embedder
from picklebot.memory.embedding_http import create
from picklebot.memory.memories import Memories
from picklebot.testing import FakeClock
from tests.memory.conftest import write
from tests.memory.embedder import Server, serving

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
KEY = "sk-canary-4711"
NOTES = {
    "topics/a.md": "Der Schlüssel vom Fahrrad liegt in der Schublade.",
    "topics/b.md": "Mia hat am Montag Geburtstag.",
    "topics/c.md": "歯医者は三月十四日です。",
    "topics/d.md": "Das Auto steht in der Garage.",
    "topics/e.md": "unlock: the word for opening",
}


@pytest.fixture
async def server() -> AsyncGenerator[Server]:
    async with serving() as running:
        yield running


def embedder(server: Server, *, key: str = "", timeout: float = 5.0) -> Embedder:
    return create(
        name="thesaurus",
        base_url=f"{server.url}/v1",
        api_key=key,
        auth="bearer",
        query_prefix="query: ",
        passage_prefix="passage: ",
        timeout=timeout,
    )


@asynccontextmanager
async def remembering(folder: Path, server: Server, **options: str) -> AsyncGenerator[Memories]:
    memories = Memories(folder, folder.parent, clock=FakeClock(), embedder=embedder(server, **options), batch=2)  # type: ignore[arg-type]  # only texts are given
    try:
        yield memories
    finally:
        await memories.close()


async def found(memories: Memories, query: str) -> list[str]:
    result = await memories.search(query)
    assert result.problems == []
    return [note.path for note in result.notes]


@pytest.fixture
def notes(folder: Path) -> Path:
    for path, text in NOTES.items():
        write(folder, path, text)
    return folder


async def test_a_note_is_found_by_meaning_in_another_language(notes: Path, server: Server) -> None:
    async with remembering(notes, server) as memories:
        assert (await found(memories, "bike key"))[0] == "topics/a.md"
        assert (await found(memories, "toothache"))[0] == "topics/c.md"
        (first, *_) = (await memories.search("bike key")).notes
        assert first.why["meaning"] == 1
        assert "words" not in first.why


async def test_what_is_no_nearer_than_most_notes_is_not_found_by_meaning(notes: Path, server: Server) -> None:
    for number in range(30):
        write(notes, f"topics/n{number}.md", f"filler{number} " * 20)
    async with remembering(notes, server) as memories:
        first, *others = (await memories.search("bike key")).notes
        assert (first.path, [note.path for note in others]) == ("topics/a.md", ["topics/e.md"])
        assert first.near > CLOSE
        assert await found(memories, "umbrella") == []


async def test_what_fits_by_words_and_by_meaning_comes_before_either(notes: Path, server: Server) -> None:
    write(notes, "topics/both.md", "unlock the bike")
    async with remembering(notes, server) as memories:
        (first, *_) = (await memories.search("unlock my bike")).notes
        assert first.path == "topics/both.md"
        assert (first.why["meaning"], first.why["words"]) == (1, 1)


async def test_a_vector_is_asked_for_once_in_batches_with_the_models_prefixes(notes: Path, server: Server) -> None:
    async with remembering(notes, server) as memories:
        await memories.search("bike")
        asked = [body["input"] for body in server.asked]
        assert [len(batch) for batch in asked] == [2, 2, 1, 1]
        assert asked[-1] == ["query: bike"]
        assert f"passage: a: {NOTES['topics/a.md']}" in server.texts
        server.asked.clear()
        await memories.search("bike")
        write(notes, "topics/new.md", NOTES["topics/b.md"])
        (notes / "topics/d.md").unlink()
        await memories.search("bike")
        assert [body["input"] for body in server.asked] == [
            ["query: bike"],
            [f"passage: new: {NOTES['topics/b.md']}"],
            ["query: bike"],
        ]
    async with remembering(notes, server) as memories:
        server.asked.clear()
        await memories.search("bike")
        assert server.texts == ["query: bike"]


async def test_vectors_come_back_with_the_index(notes: Path, server: Server, index: Path) -> None:
    async with remembering(notes, server) as memories:
        before = await memories.search("bike key")
        index.unlink()
        assert await memories.search("bike key") == before
        await memories.reindex()
        assert await memories.search("bike key") == before


async def test_the_key_is_sent_to_its_server_and_told_to_nobody(
    notes: Path, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    async with remembering(notes, server, key=KEY) as memories:
        await memories.search("bike")
        assert {headers["authorization"] for headers in server.headers} == {f"Bearer {KEY}"}
        server.instead = lambda: web.json_response({"error": {"message": f"bad key {KEY}"}}, status=401)
        result = await memories.search("bike")
    assert KEY not in f"{result.problems} {caplog.text}"
    assert "401" in result.problems[0]


async def test_a_redirect_is_not_followed(notes: Path, server: Server) -> None:
    server.instead = lambda: web.Response(status=308, headers={"location": "http://127.0.0.1:1/v1/embeddings"})
    async with remembering(notes, server, key=KEY) as memories:
        assert "redirect" in (await memories.search("bike")).problems[0]


@pytest.mark.parametrize(
    ("instead", "words"),
    [
        (lambda: web.Response(status=503), "503"),
        (lambda: web.Response(status=429, headers={"retry-after": "7"}), "429"),
        (lambda: web.Response(status=404, text="no such model"), "404"),
        (lambda: web.Response(text="<html>"), "holds no vectors"),
        (lambda: web.json_response({"data": []}), "0 vectors for 1 texts"),
        (lambda: web.json_response({"data": [{"index": 0, "embedding": []}]}), "no vector"),
        (lambda: web.json_response({"data": [{"index": 0, "embedding": ["x"]}]}), "holds no vectors"),
        (lambda: web.json_response({"data": [{"index": 0, "embedding": [0.0, 0.0]}]}), "no vector"),
        (lambda: web.Response(text='{"data": [{"index": 0, "embedding": [NaN]}]}'), "no vector"),
        (lambda: web.json_response({"data": [{"index": 0, "embedding": [1.0, 2.0]}]}), "different sizes"),
        (lambda: web.json_response([1]), "holds no vectors"),
    ],
)
async def test_an_embedder_that_fails_is_told_of_and_words_still_find(
    notes: Path, server: Server, instead: Callable[[], web.StreamResponse], words: str
) -> None:
    async with remembering(notes, server) as memories:
        await memories.search("bike")
        server.instead = instead
        result = await memories.search("Schublade")
        assert [note.path for note in result.notes] == ["topics/a.md"]
        assert "by words alone, not by meaning" in result.problems[0]
        assert words in result.problems[0]
        server.instead = None
        assert (await found(memories, "toothache"))[0] == "topics/c.md"


async def test_one_that_is_not_there_or_never_answers_is_told_of(notes: Path, server: Server) -> None:
    gone = create(
        name="x",
        base_url="http://127.0.0.1:1",
        api_key="",
        auth="bearer",
        query_prefix="",
        passage_prefix="",
        timeout=1,
    )
    with pytest.raises(ModelUnavailable, match=r"127\.0\.0\.1:1 cannot be reached"):
        await gone.embed(["x"], asked=True)
    await gone.aclose()
    slow = embedder(server, timeout=0.05)
    server.instead = lambda: web.Response(body=_dripping())
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        await slow.embed(["x"], asked=True)
    await slow.aclose()


async def _dripping() -> AsyncGenerator[bytes]:
    while True:
        yield b" "
        await asyncio.sleep(0.5)


async def test_a_daemon_has_vectors_made_behind_and_goes_on_once_the_embedder_is_back(
    notes: Path, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock()
    memories = Memories(notes, notes.parent, clock=clock, embedder=embedder(server), batch=2)
    server.instead = lambda: web.Response(status=503)
    following = asyncio.create_task(memories.follow(), name="following")
    try:
        with caplog.at_level(logging.INFO):
            await _until(lambda: "cannot be searched by meaning" in caplog.text)
            assert "by words alone" in (await memories.search("bike")).problems[0]
            server.instead = None
            assert "5 notes could not be searched by meaning yet" in (await memories.search("bike")).problems[0]
            async with asyncio.timeout(20):
                while (await memories.search("bike")).problems:
                    clock.advance(seconds=10)
            assert "can be searched by meaning again" in caplog.text
        assert (await found(memories, "bike key"))[0] == "topics/a.md"
    finally:
        following.cancel()
        await asyncio.wait({following})
        await memories.close()


async def test_what_a_search_could_not_ask_is_written_down_until_one_can(
    notes: Path, server: Server, index: Path
) -> None:
    """For doctor, whichever process searched: a daemon whose notes all have vectors asks nothing by itself."""

    def written() -> list[tuple[str]]:
        with closing(sqlite3.connect(index)) as connection:
            return connection.execute("SELECT words FROM problems").fetchall()

    async with remembering(notes, server) as memories:
        await memories.search("bike")
        server.instead = lambda: web.Response(status=401)
        await memories.search("bike")
        await memories.learn()
        assert "401" in written()[0][0]
    server.instead = None
    async with remembering(notes, server) as other:
        assert await found(other, "bike key") != []
        assert written() == []


async def _until(fact: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not fact():  # noqa: ASYNC110  # the fact is in a log
            await asyncio.sleep(0.02)


async def test_a_wrong_key_is_a_refusal_that_names_the_server(server: Server) -> None:
    server.instead = lambda: web.json_response({"error": {"message": "no"}}, status=401)
    asking = embedder(server, key=KEY)
    with pytest.raises(ModelRejected, match=r"the embedder at 127\.0\.0\.1:\d+: .*check that the key"):
        await asking.embed(["x"], asked=True)
    await asking.aclose()
