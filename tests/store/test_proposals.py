"""What agents propose is kept once, answered once, and for exactly what was shown (P17)."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from picklebot.core.proposals import LIFETIME, Asking, Proposal, propose, short_id, typed_id, visible
from picklebot.errors import NotFound, ToolError
from picklebot.store.proposals import MAX_BYTES, MAX_OPEN, MAX_OPEN_OF_SESSION
from picklebot.store.sqlite import SqliteStore, open_store
from tests.store.conftest import ANN, NOW


def proposal(
    key: str = "k1", *, about: str = "", session: str = "s1", title: str = "A job", **body: object
) -> Proposal:
    asking = Asking(session_id=session, source=ANN, key=key, at=NOW)
    return propose("task", body or {"prompt": "look"}, asking, title=title, about=about)


async def test_the_same_key_gives_the_same_proposal(store: SqliteStore) -> None:
    first = await store.proposals.propose(proposal("k1"))
    again = await store.proposals.propose(proposal("k1", prompt="something else"))
    assert again == first == await store.proposals.get(first.id)
    assert await store.proposals.open(NOW) == [first]


async def test_an_answer_counts_once_and_a_second_is_told_the_first(store: SqliteStore) -> None:
    made = await store.proposals.propose(proposal())
    settled = await store.proposals.settle(made.id, "approved", by=ANN, at=NOW)
    assert (settled.fresh, settled.proposal.state) == (True, "approved")
    second = await store.proposals.settle(made.id, "denied", by=ANN, at=NOW)
    assert (second.fresh, second.proposal) == (False, settled.proposal)
    assert await store.proposals.open(NOW) == []


async def test_what_was_approved_and_is_not_known_to_be_done_is_found_again(store: SqliteStore) -> None:
    made = await store.proposals.propose(proposal())
    settled = await store.proposals.settle(made.id, "approved", by=ANN, at=NOW)
    assert await store.proposals.unfinished(NOW) == [settled.proposal]
    await store.proposals.conclude(made.id, "no room", over=False)
    assert [each.outcome for each in await store.proposals.unfinished(NOW)] == ["no room"]
    await store.proposals.conclude(made.id, "done")
    await store.proposals.conclude(made.id, "done again")
    assert await store.proposals.unfinished(NOW) == []
    assert (await store.proposals.get(made.id)).outcome == "done"


async def test_a_newer_proposal_on_the_same_thing_takes_the_place_of_the_older(store: SqliteStore) -> None:
    old = await store.proposals.propose(proposal("k1", about="crons/a", prompt="old"))
    other = await store.proposals.propose(proposal("k2", about="crons/a", prompt="other", session="s2"))
    new = await store.proposals.propose(proposal("k3", about="crons/a", prompt="new"))
    same = await store.proposals.propose(proposal("k4", about="crons/a", prompt="new"))
    assert same == new
    assert await store.proposals.open(NOW) == [other, new]
    replaced = await store.proposals.get(old.id)
    assert (replaced.state, replaced.outcome) == ("expired", f"replaced by {new.id}")
    assert not (await store.proposals.settle(old.id, "approved", by=ANN, at=NOW)).fresh


async def test_a_proposal_expires(store: SqliteStore) -> None:
    made = await store.proposals.propose(proposal())
    late = NOW + LIFETIME
    assert await store.proposals.open(late - timedelta(seconds=1)) == [made]
    assert await store.proposals.open(late) == []
    settled = await store.proposals.settle(made.id, "approved", by=ANN, at=late)
    assert (settled.fresh, settled.proposal.state) == (False, "expired")


async def test_an_unknown_id_is_answered_in_words(store: SqliteStore) -> None:
    with pytest.raises(NotFound, match="no proposal 'abc'"):
        await store.proposals.get("abc")
    with pytest.raises(NotFound, match="no proposal 'abc'"):
        await store.proposals.settle("abc", "approved", by=ANN, at=NOW)


@pytest.mark.parametrize("column", ["kind", "about", "title", "details", "body", "session_id", "source", "digest"])
async def test_an_altered_proposal_cannot_be_approved(tmp_path: Path, column: str) -> None:
    path = tmp_path / "picklebot.db"
    async with open_store(path) as store:
        made = await store.proposals.propose(proposal())
    values = {"body": '{"prompt":"steal"}', "source": "fake:bob", "digest": "00" * 32}
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"UPDATE proposals SET {column} = ?", (values.get(column, "else"),))
    async with open_store(path) as store:
        with pytest.raises(NotFound, match="altered"):
            await store.proposals.settle(made.id, "approved", by=ANN, at=NOW)


async def test_a_session_and_everybody_may_only_propose_so_much(store: SqliteStore) -> None:
    for number in range(MAX_OPEN_OF_SESSION):
        await store.proposals.propose(proposal(f"k{number}"))
    with pytest.raises(ToolError, match="20 proposals of this session"):
        await store.proposals.propose(proposal("more"))
    for number in range(MAX_OPEN_OF_SESSION, MAX_OPEN):
        await store.proposals.propose(proposal(f"k{number}", session=f"s{number}"))
    with pytest.raises(ToolError, match="100 proposals wait"):
        await store.proposals.propose(proposal("more", session="another"))


@pytest.mark.parametrize("given", [{"title": "x" * 500}, {"prompt": "x" * MAX_BYTES}, {"prompt": "\ud800"}])
async def test_what_is_too_large_or_no_text_is_refused(store: SqliteStore, given: dict[str, str]) -> None:
    with pytest.raises(ToolError):
        await store.proposals.propose(proposal(**given))


async def test_an_id_that_is_taken_grows(store: SqliteStore) -> None:
    made = proposal("k1")
    first = await store.proposals.propose(made)
    # Two contents with one beginning of a digest cannot be made in a test, so the second borrows the digest.
    second = await store.proposals.propose(replace(made, key="k2"))
    assert (first.id, second.id) == (short_id(made.digest, 6), short_id(made.digest, 8))


def test_an_id_is_read_as_it_was_meant() -> None:
    assert typed_id(" O1Lab ") == "011ab"


def test_what_an_eye_cannot_see_is_written_out() -> None:
    assert visible("rm\u200b -rf\u202e / \x1b[8m\n\tü 猫") == "rm<U+200B> -rf<U+202E> / <U+001B>[8m\n\tü 猫"
