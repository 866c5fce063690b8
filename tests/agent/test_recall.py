"""Which of the notes that were found are put before a model."""

from datetime import UTC, datetime

from picklebot.agent.recall import CLOSE, choose
from picklebot.memory.base import Note

DAY = datetime(2026, 11, 21, tzinfo=UTC)


def note(content: str, *, near: float = 0.0, words: tuple[str, ...] = ()) -> Note:
    place = {"meaning": 1} if near else {"words": 1}
    return Note(
        path=f"topics/{content}.md", line=1, at=None, day=DAY, origin="", by="", outside=False,
        content=content, score=0.1, why=place, words=words, near=near,
    )  # fmt: skip


def test_a_note_that_shares_no_word_is_shown_only_if_it_is_near() -> None:
    near, far = note("near", near=CLOSE), note("far", near=CLOSE - 0.1)
    shares, hardly = note("shares", words=("dentist",)), note("hardly", words=("at",))
    assert choose([far, near, shares, hardly], [], visible="", tokens=500) == [near, shares]
    assert choose([far], [], visible="", tokens=500) == []
