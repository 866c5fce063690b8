"""After any power cut a file of notes is one of its versions, whole, and no older than the last that was promised."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from picklebot.memory.editing import Editor
from picklebot.memory.notes import Notes
from picklebot.memory.versions import Versions
from picklebot.tools.memory_commands import Author
from tests.power.files import Record, recording

NOW = datetime(2030, 1, 1, tzinfo=UTC)
TOPICS = ("tea", "projects/shed", "daily-notes", "tea", "tea", "projects/shed", "a new one")
IMAGES = 20  #: after each call
LONG = " ".join(f"line {n} " for n in range(600))


def keep_notes(folder: Path, *, deaf: bool = False) -> Record:
    """Save some notes below `folder`, and return what that did to the disk."""

    async def save() -> None:
        notes = Notes(folder)
        for n, topic in enumerate(TOPICS):
            path = await notes.save(topic, f"note {n} " * 150, at=NOW + timedelta(minutes=n), origin="a test")
            below = path.removeprefix("memories/")
            record.promise(below, (folder / below).read_bytes())

    folder.mkdir()
    with recording(folder, deaf=deaf) as record:
        asyncio.run(save())
    return record


def complaints(record: Record) -> list[str]:
    """Cut the power after each call, and judge what is left."""
    rng = Random(1)
    versions: dict[str, list[bytes]] = {}
    for entry in record.calls:
        if isinstance(entry, tuple):
            versions.setdefault(entry[0], [b""]).append(entry[1])
    found: list[str] = []
    promised = dict.fromkeys(versions, 0)
    for moment, entry in enumerate(record.calls, start=1):
        if isinstance(entry, tuple):
            promised[entry[0]] += 1
        for _ in range(IMAGES):
            image = record.image(moment, rng)
            for path, least in promised.items():
                if image.get(path, b"") not in versions[path][least:] or (path in image and not image[path]):
                    found.append(f"after call {moment}, {path} is torn, empty or old")
    return found


def test_a_power_cut_leaves_each_file_of_notes_whole_and_as_new_as_promised(tmp_path: Path) -> None:
    record = keep_notes(tmp_path / "memories")
    assert sum(isinstance(entry, tuple) for entry in record.calls) == len(TOPICS)
    assert complaints(record) == []


def test_a_planted_rename_before_the_content_is_synced_is_seen_to_tear_a_file(tmp_path: Path) -> None:
    assert complaints(keep_notes(tmp_path / "memories", deaf=True))


def command(folder: Path) -> tuple[Record, list[frozenset[bytes]]]:
    """Give each command that changes notes; return what that did to the disk, and after each what all files held."""
    editor = Editor(folder / "memories", Versions(folder / "versions"), threading.Lock())
    author = Author(at=NOW, origin="a test", by="pickle")
    steps: Sequence[Callable[[], str]] = (
        lambda: editor.create("topics/tea.md", LONG, author),
        lambda: editor.replace("topics/tea.md", "line 250 ", "no longer ", author),
        lambda: editor.insert("topics/tea.md", 2, f"And {LONG}", author),
        lambda: editor.rename("topics/tea.md", "projects/party.md", author),
        lambda: editor.create("topics/tea.md", f"Again {LONG}", author),
        lambda: editor.delete("projects/party.md", author),
    )
    held: list[frozenset[bytes]] = []
    folder.mkdir()
    with recording(folder) as record:
        for step in steps:
            step()
            held.append(frozenset(each.read_bytes() for each in folder.rglob("*.md") if each.is_file()))
            record.promise("done", b"")
    return record, held


def test_a_power_cut_in_a_memory_command_loses_nothing_that_was_written_before(tmp_path: Path) -> None:
    """Each text that was there is there still, as a note or as a version, and no note is torn."""
    record, held = command(tmp_path / "root")
    rng, done, notes = Random(2), 0, dict[str, bytes]()
    whole = frozenset[bytes]().union(*held)
    for moment, entry in enumerate(record.calls, start=1):
        done += isinstance(entry, tuple)
        for _ in range(IMAGES):
            image = record.image(moment, rng)
            assert not (held[done - 1] if done else frozenset()) - set(image.values()), f"lost by call {moment}"
            notes = {path: content for path, content in image.items() if path.startswith("memories/")}
            assert {content for path, content in notes.items() if path.endswith(".md")} <= whole, (
                f"torn by call {moment}"
            )
    assert [path for path in notes if path.endswith(".md")] == ["memories/topics/tea.md"]
