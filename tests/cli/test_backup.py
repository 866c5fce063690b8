"""Backups hold one moment of a workspace, whole (P15), through the real program."""

import asyncio
import fcntl
import os
import signal
import tarfile
from pathlib import Path

import pytest

from picklebot.cli.archive import DATABASE
from picklebot.clock import SystemClock
from picklebot.core.source import Source
from picklebot.lock import Holder, hold
from picklebot.store.sqlite import SqliteStore, open_store
from tests.cli.archives import fill_for_backup, ledger
from tests.cli.inside import command, document
from tests.cli.running import PROGRAM, accept, database, environment, run


@pytest.fixture
async def filled(workspace: Path) -> Path:
    return await fill_for_backup(workspace)


def names(archive: Path) -> set[str]:
    with tarfile.open(archive) as opened:
        return set(opened.getnames())


async def test_a_backup_is_restored_whole_into_another_folder(filled: Path, tmp_path: Path) -> None:
    archive, other = tmp_path / "b.tar.gz", tmp_path / "other"
    made = await asyncio.to_thread(run, filled, "backup", str(archive))
    assert (made.returncode, made.stdout) == (0, f"{archive}\n"), made.stderr
    for name in ("memories/passwd", "memories/pipe", "skills/etc"):
        assert f"left out: {name}" in made.stderr
    back = await asyncio.to_thread(run, filled, "restore", str(archive), str(other))
    assert (back.returncode, back.stdout) == (0, f"{other}\n"), back.stderr
    assert (other / "memories" / "topics" / "bins.md").read_text(encoding="utf-8") == "Tuesday ☃\n"
    assert (other / "config.yaml").read_bytes() == (filled / "config.yaml").read_bytes()
    assert (other / "skills" / "run" / "go.sh").stat().st_mode & 0o111
    assert not (other / ".env").exists()
    assert (other / DATABASE).stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in (other / ".picklebot").iterdir()) == ["ipc", "lock", "logs", "picklebot.db"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tar.gz", "other", "workspace"]
    original = await document(filled, "events", "list")
    assert await document(other, "events", "list") == original
    assert await ledger(other) == "ok"


async def test_secrets_come_along_only_when_they_are_asked_for(filled: Path, tmp_path: Path) -> None:
    plain, full = tmp_path / "plain.tar.gz", tmp_path / "full.tar.gz"
    await command(filled, "backup", str(plain))
    await command(filled, "backup", "--with-secrets", str(full))
    assert names(full) - names(plain) == {".env"}
    await command(filled, "restore", str(full), str(tmp_path / "other"))
    assert (tmp_path / "other" / ".env").stat().st_mode & 0o777 == 0o600
    assert full.stat().st_mode & 0o077 == 0, "nobody else may read it"


async def test_backups_made_while_a_daemon_writes_are_each_whole_and_in_balance(
    workspace: Path, tmp_path: Path
) -> None:
    stop = asyncio.Event()

    async def write(store: SqliteStore) -> int:
        n = 0
        while not stop.is_set():
            sources = [Source("telegram", (str(n + i), "7")) for i in range(20)]
            await asyncio.gather(*(accept(store, "x" * 500, key=str(source), source=source) for source in sources))
            n += len(sources)
        return n

    state = database(workspace).parent
    with hold(state / "lock", state / "daemon.json", Holder(os.getpid(), "server", "noon")):
        async with open_store(database(workspace)) as store:
            await accept(store, "first", key="first")
            writing = asyncio.create_task(write(store))
            for n in range(5):
                made = await command(workspace, "backup", str(tmp_path / f"{n}.tar.gz"))
                assert made.returncode == 0, made.stderr
                assert await ledger(workspace) == "ok"
            stop.set()
            assert await writing > 20
    accepted: list[int] = []
    for n in range(5):
        other = tmp_path / f"other{n}"
        assert (await command(workspace, "restore", str(tmp_path / f"{n}.tar.gz"), str(other))).returncode == 0
        accepted.append((await document(other, "status"))["accepted"])
    assert accepted == sorted(set(accepted)), "each is of a later moment"


async def test_a_backup_that_is_killed_leaves_the_older_one_and_the_next_one_works(
    filled: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "b.tar.gz"
    await command(filled, "backup", str(archive))
    older = archive.read_bytes()
    (filled / "memories" / "large.md").write_bytes(os.urandom(15_000_000))
    child = await asyncio.create_subprocess_exec(
        *PROGRAM, "-w", str(filled), "backup", str(archive), env=environment(), stderr=asyncio.subprocess.PIPE
    )
    clock, part = SystemClock(), tmp_path / ".b.tar.gz.part"
    async with asyncio.timeout(30):
        while not (part.exists() and part.stat().st_size):  # it is being written
            await clock.sleep(0.005)
    child.send_signal(signal.SIGKILL)
    assert await child.wait() == -signal.SIGKILL
    await child.communicate()
    assert archive.read_bytes() == older
    assert (await command(filled, "backup", str(archive))).returncode == 0
    assert not list(tmp_path.glob(".b.tar.gz*"))
    assert archive.stat().st_size > 15_000_000


async def test_two_backups_into_one_file_at_once_do_not_mix(filled: Path, tmp_path: Path) -> None:
    with (tmp_path / ".b.tar.gz.part").open("wb") as part:
        fcntl.flock(part, fcntl.LOCK_EX)
        done = await command(filled, "backup", str(tmp_path / "b.tar.gz"))
    assert done.returncode == 75
    assert not (tmp_path / "b.tar.gz").exists()


async def test_where_nothing_has_happened_there_is_nothing_to_back_up(workspace: Path, tmp_path: Path) -> None:
    done = await command(workspace, "backup", str(tmp_path / "b.tar.gz"))
    assert done.returncode == 1
    assert "there is no database" in done.stderr
    assert list(tmp_path.iterdir()) == [workspace]


async def test_a_place_that_cannot_be_written_to_is_told_in_words(filled: Path, tmp_path: Path) -> None:
    done = await command(filled, "backup", str(tmp_path / "nowhere" / "b.tar.gz"))
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    missing = await command(filled, "restore", str(tmp_path / "nowhere.tar.gz"), str(tmp_path / "other"))
    assert missing.returncode == 1
    assert not (tmp_path / "other").exists()
