"""Only a whole backup is restored, all of it or nothing (P15)."""

import io
import json
import os
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from picklebot.cli.archive import DATABASE, MANIFEST, is_allowed
from picklebot.cli.restore import PLAN, RESTORING
from picklebot.lock import Holder, hold
from tests.cli.archives import fill_for_backup, tree
from tests.cli.inside import command, document
from tests.cli.running import accept, database, fill


@pytest.fixture
async def filled(workspace: Path) -> Path:
    return await fill_for_backup(workspace)


async def test_a_workspace_that_is_in_use_is_neither_overwritten_nor_restored_under_a_daemon(
    filled: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "b.tar.gz"
    await command(filled, "backup", str(archive))
    refused = await command(filled, "restore", str(archive))
    assert refused.returncode == 1
    assert "--force" in refused.stderr
    state = database(filled).parent
    with hold(state / "lock", state / "daemon.json", Holder(os.getpid(), "server", "noon")):
        held = await command(filled, "restore", "--force", str(archive))
        assert held.returncode == 75
    assert (await document(filled, "status"))["accepted"] == 1


async def test_force_moves_aside_what_is_there_and_deletes_nothing(filled: Path, tmp_path: Path) -> None:
    archive = tmp_path / "b.tar.gz"
    await command(filled, "backup", str(archive))
    (filled / "memories" / "new.md").write_text("written since")
    await fill(filled, lambda store: accept(store, "since", key="k2"))
    assert (await command(filled, "restore", "--force", str(archive))).returncode == 0
    assert not (filled / "memories" / "new.md").exists()
    assert (await document(filled, "status"))["accepted"] == 1
    assert (filled / ".env").read_text() == "KEY=secret\n", "the backup has none, so this one stays"
    [aside] = (filled / ".picklebot").glob("before-restore-*")
    assert (aside / "memories" / "new.md").read_text() == "written since"
    with closing(sqlite3.connect(aside / DATABASE)) as connection:
        assert connection.execute("SELECT count(*) FROM inbox").fetchone() == (2,)


def cut(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


def flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


@pytest.mark.parametrize("damage", [cut, flip, lambda content: b"no archive at all", lambda content: b""])
async def test_a_damaged_backup_is_refused_and_nothing_is_touched(
    filled: Path, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    archive = tmp_path / "b.tar.gz"
    await command(filled, "backup", str(archive))
    archive.write_bytes(damage(archive.read_bytes()))
    before = tree(filled)
    refused = await command(filled, "restore", "--force", str(archive))
    assert refused.returncode == 1
    assert "damaged" in refused.stderr
    assert tree(filled) == before


def forge(archive: Path, change: Callable[[dict[str, tuple[tarfile.TarInfo, bytes]]], None]) -> None:
    """Write an archive anew with other members."""
    with tarfile.open(archive) as opened:
        members = {m.name: (m, found.read() if (found := opened.extractfile(m)) else b"") for m in opened}
    change(members)
    with tarfile.open(archive, "w:gz") as made:
        for member, content in members.values():
            member.size = len(content) if member.isreg() else 0
            made.addfile(member, io.BytesIO(content))


def with_member(name: str, kind: bytes = tarfile.REGTYPE) -> Callable[[dict[str, tuple[tarfile.TarInfo, bytes]]], None]:
    def change(members: dict[str, tuple[tarfile.TarInfo, bytes]]) -> None:
        last = members.pop(MANIFEST)
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, "/etc/passwd"
        members["new"] = member, b"x"
        members[MANIFEST] = last

    return change


def without_manifest(members: dict[str, tuple[tarfile.TarInfo, bytes]]) -> None:
    del members[MANIFEST]


def with_other_words(members: dict[str, tuple[tarfile.TarInfo, bytes]]) -> None:
    members["config.yaml"] = members["config.yaml"][0], b"default_agent: mallory\n"


def with_other_counts(members: dict[str, tuple[tarfile.TarInfo, bytes]]) -> None:
    member, content = members[MANIFEST]
    manifest = json.loads(content)
    manifest["counts"]["accepted"] += 1
    members[MANIFEST] = member, json.dumps(manifest).encode()


@pytest.mark.parametrize(
    "change",
    [
        with_member("../outside"),
        with_member("/tmp/outside"),
        with_member("memories/../../outside"),
        with_member("memories/link", tarfile.SYMTYPE),
        with_member("memories/link", tarfile.LNKTYPE),
        with_member("memories/device", tarfile.CHRTYPE),
        with_member("memories/unlisted.md"),
        with_member(".picklebot/token"),
        with_member("config.yaml"),
        without_manifest,
        with_other_words,
        with_other_counts,
    ],
    ids=lambda change: change.__name__,
)
async def test_a_forged_backup_is_refused_and_writes_nowhere(
    filled: Path, tmp_path: Path, change: Callable[[dict[str, tuple[tarfile.TarInfo, bytes]]], None]
) -> None:
    archive, other = tmp_path / "b.tar.gz", tmp_path / "deep" / "other"
    await command(filled, "backup", str(archive))
    forge(archive, change)
    refused = await command(filled, "restore", str(archive), str(other))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert tree(other) == {}
    assert not list(tmp_path.rglob("outside"))


@pytest.mark.parametrize("path", ["", "/", ".", "agents", "agents/", "agents//a", "agents/./a", "x/../y", "etc/passwd"])
def test_a_name_that_leads_elsewhere_has_no_place(path: str) -> None:
    assert not is_allowed(path)


@pytest.mark.parametrize("done", range(0, 11, 2))
async def test_a_restore_that_was_cut_short_is_finished_by_the_next_one(
    filled: Path, tmp_path: Path, done: int
) -> None:
    archive = tmp_path / "b.tar.gz"
    await command(filled, "backup", str(archive))
    expected = outside_state(filled)
    await command(filled, "restore", "--force", str(archive))
    [aside] = (filled / ".picklebot").glob("before-restore-*")
    _undo(filled, aside, done)
    findings = (await command(filled, "doctor", "--json")).stdout
    assert "a restore was cut short" in findings
    again = await command(filled, "restore", str(archive))
    assert again.returncode == 0
    assert "it is finished now" in again.stderr
    assert outside_state(filled) == expected
    assert (await document(filled, "status"))["accepted"] == 1
    assert not (filled / ".picklebot" / RESTORING).exists()


def outside_state(workspace: Path) -> dict[str, bytes]:
    return {name: content for name, content in tree(workspace).items() if not name.startswith(".picklebot/")}


def _undo(workspace: Path, aside: Path, done: int) -> None:
    """Put things back as they were after the first `done` moves of the restore."""
    kept = sorted(path.relative_to(aside) for path in aside.iterdir() if path.name != ".picklebot")
    names = [*map(str, kept), DATABASE]
    staging = workspace / ".picklebot" / RESTORING
    moves = [(name, str((aside / name).relative_to(workspace))) for name in names]
    moves += [(str((staging / name).relative_to(workspace)), name) for name in names]
    for origin, place in reversed(moves[done:]):
        (workspace / origin).parent.mkdir(parents=True, exist_ok=True)
        (workspace / place).rename(workspace / origin)
    staging.mkdir(exist_ok=True)
    (staging / PLAN).write_text(json.dumps({"archive": "b.tar.gz", "moves": moves}))
