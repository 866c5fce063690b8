"""After any power cut a file of notes is one of its versions, whole, and no older than the last that was promised."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from picklebot.memory.notes import Notes
from tests.power.files import Record, recording

NOW = datetime(2030, 1, 1, tzinfo=UTC)
TOPICS = ("tea", "projects/shed", "daily-notes", "tea", "tea", "projects/shed", "a new one")
IMAGES = 20  #: after each call


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
