"""How far a platform was read, and what is there already of a long message."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from picklebot.channels.progress import UNFINISHED, Progress
from picklebot.channels.reading import PASSING, Nowhere, Reading
from picklebot.errors import StoreFull
from picklebot.store.bookmarks import KEPT
from picklebot.store.sqlite import SqliteStore
from tests.store.conftest import store

__all__ = ["store"]


class Full(Nowhere):
    """A disk that is full until there is room."""

    room = False

    async def keep(self, channel: str, marks: Mapping[str, str]) -> None:
        if not self.room:
            raise StoreFull("no room")
        await super().keep(channel, marks)


async def read_to(reading: Reading) -> dict[str, str]:
    await reading.write()
    return dict(await reading.begin())


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["arrive", "accept", "refuse", "pass"]))))
async def test_a_bookmark_never_stands_behind_what_is_not_settled(steps: list[tuple[int, str]]) -> None:
    reading = Reading("c", bookmarks := Nowhere())
    open_, number, settled = list[int](), 0, 0
    for choice, what in steps:
        if what in {"arrive", "pass"}:
            number += 1
            if what == "arrive":
                reading.arrived("p", number, str(number))
                open_.append(number)
            else:
                reading.passed("p", number, str(number))
        elif open_:
            reading.settled("p", open_.pop(choice % len(open_)), accepted=what == "accept")
            settled += what == "accept"
        await reading.write()
        mark = int((await bookmarks.of("c")).get("p", 0))
        assert all(mark < each for each in open_)
        assert settled or not mark, "a place where nobody was let in is not remembered"
    if settled and not open_:
        reading.arrived("p", number + 1, "end")
        reading.settled("p", number + 1, accepted=False)
        assert await read_to(reading) == {"p": "end"}


async def test_what_was_on_its_way_when_a_connection_broke_is_asked_for_again() -> None:
    reading = Reading("c")
    for number in (1, 2, 3):
        reading.arrived("p", number, str(number))
    reading.settled("p", 1, accepted=True)
    reading.settled("p", 3, accepted=True)
    assert await read_to(reading) == {"p": "1"}
    reading.settled("p", 2, accepted=True)  # of the connection that broke
    reading.arrived("p", 2, "2")
    reading.settled("p", 2, accepted=True)
    assert await read_to(reading) == {"p": "2"}, "3 comes once more"


async def test_bookmarks_are_written_as_they_move_and_seldom_for_what_is_said_to_others() -> None:
    reading = Reading("c", bookmarks := Nowhere())
    writing = asyncio.create_task(reading.follow())
    reading.arrived("p", 1, "1")
    reading.settled("p", 1, accepted=True)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await bookmarks.of("c") == {"p": "1"}
    for number in range(2, 2 + PASSING):
        await asyncio.sleep(0)
        assert await bookmarks.of("c") == {"p": "1"}
        reading.passed("p", number, str(number))
    await asyncio.sleep(0)
    assert await bookmarks.of("c") == {"p": str(1 + PASSING)}
    writing.cancel()
    with suppress(asyncio.CancelledError):
        await writing


async def test_a_bookmark_that_a_full_disk_did_not_take_is_written_with_the_next() -> None:
    reading = Reading("c", disk := Full())
    reading.arrived("p", 1, "1")
    reading.settled("p", 1, accepted=True)
    await reading.write()
    assert not await disk.of("c")
    disk.room = True
    assert await read_to(reading) == {"p": "1"}


async def test_the_places_where_nothing_was_said_for_longest_are_forgotten_first(store: SqliteStore) -> None:
    await store.bookmarks.keep("c", {"old": "1", "older": "1"})
    await store.bookmarks.keep("other", {"old": "7"})
    await store.bookmarks.keep("c", {f"p{number}": "1" for number in range(KEPT - 1)})
    await store.bookmarks.keep("c", {"old": "2"})
    kept = await store.bookmarks.of("c")
    assert len(kept) == KEPT
    assert "older" not in kept
    assert [*kept.items()][-1] == ("old", "2")
    assert await store.bookmarks.of("other") == {"old": "7"}


def test_pieces_that_a_platform_has_are_known_until_their_message_is_whole() -> None:
    progress = Progress()
    progress.of("a").append("1")
    assert progress.of("a") == ["1"]
    progress.of("a").append("2")
    assert progress.finish("a") == "2"
    assert progress.of("a") == []
    assert progress.finish("never begun") == ""
    for number in range(UNFINISHED):
        progress.of(f"k{number}").append("1")
    assert progress.of("a") == [], "those that were begun first are forgotten"
