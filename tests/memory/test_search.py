"""Finding notes by their words, through the index, whatever becomes of it."""

import asyncio
import os
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from picklebot.memory.memories import Memories
from picklebot.memory.schema import leftovers
from picklebot.testing import FakeClock
from tests.memory.conftest import write

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


async def save(memories: Memories, topic: str, content: str, *, days: int = 0) -> str:
    return await memories.save(topic, content, at=AT + timedelta(days=days), origin="cli:ann", by="pickle")


async def paths(memories: Memories, query: str, limit: int = 10) -> list[str]:
    found = await memories.search(query, limit)
    assert found.problems == []
    return [note.path for note in found.notes]


async def test_the_best_fit_comes_first_and_then_the_latest(memories: Memories) -> None:
    await save(memories, "a", "red apple", days=5)
    await save(memories, "b", "red apple pie", days=1)
    await save(memories, "c", "an apple", days=9)
    await save(memories, "d", "plum")
    assert await paths(memories, "Red apple PIE") == ["topics/b.md", "topics/a.md", "topics/c.md"]
    assert await paths(memories, "apple", limit=1) == ["topics/c.md"]
    assert await paths(memories, "plum") == ["topics/d.md"]
    assert await paths(memories, "") == await paths(memories, "?!") == await paths(memories, "pear") == []


async def test_a_rare_word_says_more_than_a_common_one(memories: Memories) -> None:
    for number in range(20):
        await save(memories, f"garden {number}", f"The garden got {number} new plants.")
    await save(memories, "key", "The spare key lies below the third flower pot.")
    assert (await paths(memories, "garden key"))[0] == "topics/key.md"


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("Dr. Weber is the dentist", "dentsit"),
        ("her allergies: nuts and cats", "allergy"),
        ("Die Straßenbahnhaltestelle ist am Markt", "bahn"),
        ("Der Schlüssel vom Fahrrad liegt in der Schublade", "Fahrradschlüssel"),
        ("Größe 43", "groesse"),
        ("Le café préféré de Zoé", "cafe prefere"),
        ("自転車の鍵は引き出しにある", "鍵"),
        ("家里的无线密码是茶壶", "密码"),
        ("รหัสผ่านไวไฟคือกาน้ำชา", "รหัส"),
        ("Пароль от почты у Маши", "пароль"),
        ("serial TX-4711-B of the boiler", "TX-4711-B"),
    ],
)  # fmt: skip
async def test_typos_forms_part_words_and_other_scripts_are_found(memories: Memories, written: str, asked: str) -> None:
    await save(memories, "other", "Nothing of that kind, 3 lines about gardening")
    path = await save(memories, "wanted", written)
    assert (await paths(memories, asked))[:1] == [path]


async def test_a_note_is_found_by_its_topic(memories: Memories) -> None:
    await save(memories, "projects/Wifi", "The password is on the fridge.")
    assert await paths(memories, "wifi") == ["projects/wifi.md"]


async def test_a_note_says_where_it_came_from_and_why_it_was_found(memories: Memories, folder: Path) -> None:
    await save(memories, "tea", "She prefers Assam.")
    await memories.save("tea", "Assam is poison!", at=AT, origin="cli:ann", by="pickle", outside=True)
    write(folder, "topics/mine.md", "# Tea\n\nA list.\n\n- assam\n")
    found = {note.path: note for note in (await memories.search("assam")).notes}
    kept, mine, apart = (found[path] for path in ("topics/tea.md", "topics/mine.md", "quarantine/topics/tea.md"))
    assert (kept.at, kept.origin, kept.by, kept.outside, kept.line) == (AT, "cli:ann", "pickle", False, 3)
    assert (mine.at, mine.origin, mine.by, mine.outside, mine.line) == (None, "", "", False, 1)
    assert apart.outside
    assert kept.words == ("assam",)
    assert set(kept.why) == {"words", "recency"}
    trusted = await memories.search("assam", outside=False)
    assert {note.path for note in trusted.notes} == {"topics/tea.md", "topics/mine.md"}


async def test_a_long_text_is_found_at_its_place(memories: Memories, folder: Path) -> None:
    parts = [f"## Part {number}\n\n{'Filler about nothing. ' * 30}" for number in range(50)]
    write(folder, "projects/long.md", "\n\n".join([*parts, "## Boiler\n\nIts serial is 4711."]))
    (note,) = (await memories.search("boiler serial", limit=1)).notes
    lines = (folder / note.path).read_text().split("\n")
    assert "4711" in note.content
    assert note.content.startswith(lines[note.line - 1])


async def test_latest_are_the_notes_of_the_last_days(memories: Memories, folder: Path) -> None:
    await save(memories, "old", "old", days=-30)
    await save(memories, "new", "new", days=3)
    write(folder, "daily-notes/2026-11-22.md", "A quiet day.")
    assert [note.content for note in await memories.latest(2)] == ["new", "A quiet day."]


async def test_what_is_changed_renamed_and_removed_by_hand_is_followed(memories: Memories, folder: Path) -> None:
    write(folder, "topics/a.md", "apple")
    write(folder, "topics/deep/er/b.md", "banana")
    assert await paths(memories, "apple") == ["topics/a.md"]
    assert await paths(memories, "banana") == ["topics/deep/er/b.md"]
    write(folder, "topics/a.md", "quince")
    (folder / "topics/deep/er/b.md").rename(folder / "topics/c.md")
    assert await paths(memories, "apple") == []
    assert await paths(memories, "quince") == ["topics/a.md"]
    assert await paths(memories, "banana") == ["topics/c.md"]
    (folder / "topics/c.md").unlink()
    assert await paths(memories, "banana") == []


async def test_only_plain_files_of_our_own_are_indexed(memories: Memories, folder: Path) -> None:
    await save(memories, "tea", "Assam")
    (folder.parent / "secret.md").write_text("canary")
    (folder / "topics/link.md").symlink_to("../../secret.md")
    (folder / "topics/away").symlink_to("../..")
    (folder / "projects").symlink_to("..")
    os.link(folder.parent / "secret.md", folder / "topics/twin.md")
    os.mkfifo(folder / "topics/fifo.md")
    write(folder, "topics/plain.txt", "canary")
    write(folder, "topics/.hidden.md", "canary")
    write(folder, "elsewhere/x.md", "canary")
    write(folder, "top.md", "canary")
    (folder / os.fsdecode(b"topics/\xff.md")).write_text("canary")
    with (folder / "topics/huge.md").open("wb") as file:
        file.truncate(10**12)
    assert await paths(memories, "canary") == []
    assert await memories.paths() == ["topics/tea.md"]


async def answers(memories: Memories) -> list[object]:
    questions = ("apple", "apple pie", "pies", "appel", "茶", "note 7", "number", "ap")
    return [(await memories.search(question, limit=50)).notes for question in questions]


async def test_an_index_made_anew_gives_the_same_answers(memories: Memories, folder: Path, index: Path) -> None:
    for number in range(30):
        write(folder, f"topics/n{number % 7}.md", f"gone {number}")
        await memories.search("x")
        write(folder, f"topics/n{number % 7}.md", f"note number {number}\n\napple pie 茶の湯 {'x' * number}")
    for number in range(100):
        write(folder, f"projects/p{number}.md", "number")
    before = await answers(memories)
    await memories.reindex()
    assert await answers(memories) == before
    index.unlink()
    assert await answers(memories) == before


@pytest.mark.parametrize("harm", ["removed", "emptied", "overwritten", "cut", "left behind", "another version"])
async def test_an_index_that_is_lost_or_damaged_comes_back(
    memories: Memories, folder: Path, index: Path, harm: str
) -> None:
    for number in range(300):
        write(folder, f"topics/n{number}.md", f"note number {number} on apples")
    assert await paths(memories, "apples 250", limit=1) == ["topics/n250.md"]
    if harm not in {"removed", "emptied"}:
        await memories.close()
        memories = Memories(folder, index.parent, clock=FakeClock())
    match harm:
        case "removed":
            index.unlink()
        case "emptied":
            index.write_bytes(b"")
        case "overwritten":
            index.write_bytes(b"no database at all" * 1000)
        case "cut":
            index.write_bytes(index.read_bytes()[: index.stat().st_size // 2])
        case "left behind":
            index.unlink()
            leftovers(index)[0].write_bytes(b"x" * 5000)
        case _:
            with sqlite3.connect(index) as connection:
                connection.execute("PRAGMA user_version = 99")
            connection.close()
    assert await paths(memories, "apples 250", limit=1) == ["topics/n250.md"]
    await save(memories, "new", "pears")
    assert await paths(memories, "pears") == ["topics/new.md"]
    await memories.close()


async def test_an_index_that_cannot_be_used_is_told_and_costs_no_note(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "memory.db").mkdir()
    memories = Memories(folder, tmp_path, clock=FakeClock())
    path = await save(memories, "tea", "Assam")
    assert "Assam" in await memories.read(path)
    found = await memories.search("assam")
    assert found.notes == ()
    assert "cannot be used" in found.problems[0]


async def test_two_processes_keep_one_index(memories: Memories, folder: Path, index: Path) -> None:
    other = Memories(folder, index.parent, clock=FakeClock())
    try:
        async with asyncio.TaskGroup() as group:
            for number in range(40):
                group.create_task(save((memories, other)[number % 2], f"t{number % 5}", f"note number {number}"))
        for each in (memories, other):
            assert len((await each.search("number", limit=100)).notes) == 40
    finally:
        await other.close()


@given(st.text(max_size=200))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_question_breaks_a_search(tmp_path: Path, question: str) -> None:
    async def ask() -> None:
        memories = Memories(tmp_path / "memories", tmp_path, clock=FakeClock())
        try:
            await save(memories, "tea", "Assam OR NEAR 茶")
            assert (await memories.search(question)).problems == []
        finally:
            await memories.close()

    asyncio.run(ask())
