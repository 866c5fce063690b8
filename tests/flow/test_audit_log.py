"""The audit log (S63): what was done is in it, and nobody changes it unseen."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from picklebot.core.events import DefinitionChanged
from picklebot.store.audit import append, prune
from picklebot.store.audit_proof import prove
from picklebot.store.base import AuditProof
from picklebot.store.database import connect
from picklebot.store.migrate import migrate
from picklebot.testing import FakeChannel, ScriptedModel
from picklebot.testing.clock import PATIENCE
from tests.cli.inside import command, document
from tests.flow.conftest import Daemon
from tests.flow.players import uses

SECRET = "sk-the-secret-of-the-provider"


@pytest.fixture
async def logged(daemon: Daemon, owner: FakeChannel, workspace: Path, agent: Callable[..., None]) -> Path:
    """A database in which something was called, asked for, allowed, routed and changed."""
    with (workspace / "config.yaml").open("a") as file:
        file.write("approvals: {glob: ask}\n")
    (workspace / ".env").write_text(f"ANTHROPIC_API_KEY={SECRET}\n")
    (workspace / ".env").chmod(0o600)
    model = ScriptedModel(uses("grep", pattern=SECRET), uses("glob", pattern="*"), "done")
    async with daemon(model, owner) as app:
        await owner.say("look")
        assert "/approve" in (await owner.heard())[1]
        await owner.say("/approve")
        assert "done" in {(await owner.heard())[1], (await owner.heard())[1]}
        await owner.say("/route ws:bob echo")
        await owner.heard()
        with app.bus.subscribe(DefinitionChanged) as changes:
            agent("scout")
            await app.staff.definitions.reload()
            async with asyncio.timeout(PATIENCE):
                await anext(changes)
    return workspace / ".picklebot" / "picklebot.db"


def look(database: Path, head: str = "") -> AuditProof:
    with closing(connect(database, read_only=True)) as connection:
        return prove(connection, head=head)


async def test_what_was_done_is_logged_with_who_allowed_it_and_without_its_words(logged: Path, workspace: Path) -> None:
    entries = (await document(workspace, "audit", "log"))["entries"]
    told = [(each["kind"], each["body"]) for each in entries]
    [allowed] = [body for kind, body in told if kind == "answer"]
    assert (allowed["by"], allowed["verdict"], allowed["about"]) == ("ws:ann", "approved", "call")
    assert [(body["tool"], body["state"]) for kind, body in told if kind == "call"] == [
        ("grep", "done"),
        ("glob", "done"),
    ]
    assert [body["agent"] for kind, body in told if kind == "route"] == ["echo"]
    about = [body["about"] for kind, body in told if kind == "config"]
    assert about == ["config.yaml", "agents, jobs and skills", "agents, jobs and skills"]
    assert "agent scout" in str(told)
    assert SECRET not in str(told)
    printed = (await command(workspace, "audit", "log", "--kind", "call", "-n", "1")).stdout
    assert "echo called glob: done (picklebot why " in printed
    assert (await command(workspace, "audit", "log", "--kind", "calls")).returncode == 2
    proof = await document(workspace, "audit", "verify")
    assert (proof["ok"], proof["entries"]) == (True, len(entries))
    assert (await command(workspace, "audit", "verify", "--head", proof["head"])).returncode == 0


ALTERATIONS = {
    "UPDATE audit SET body = replace(body, 'approved', 'denied') WHERE kind = 'answer'": "is not what was written",
    "UPDATE audit SET at = at + 1 WHERE seq = 3": "entry 3 (",
    "UPDATE audit SET body = 'no more' WHERE seq = 2": "entry 2 (",
    "DELETE FROM audit WHERE seq = 4": "entry 4 is missing",
    "DELETE FROM audit WHERE seq <= 3": "entries 1 to 3 are missing",
    "DELETE FROM audit WHERE seq >= (SELECT min(seq) FROM audit WHERE kind = 'call')": "the end of the log was cut off",
    "DELETE FROM audit": "has ended and has no entry",
    "UPDATE calls SET input = '{\"pattern\":\"x\"}' WHERE tool = 'glob'": "glob in turn 1 is not what entry",
    "UPDATE calls SET result = NULL WHERE tool = 'grep'": "its record was changed",
    "DELETE FROM calls WHERE tool = 'grep'": "is gone from the journal",
}


async def test_no_entry_is_altered_removed_or_cut_off_unseen(logged: Path, workspace: Path) -> None:
    with closing(sqlite3.connect(logged)) as connection, pytest.raises(sqlite3.IntegrityError, match="only appended"):
        connection.execute("UPDATE audit SET body = '{}'")
    whole, head = logged.read_bytes(), look(logged).head
    for alteration, words in ALTERATIONS.items():
        with closing(sqlite3.connect(logged, isolation_level=None)) as connection:
            connection.executescript(f"DROP TRIGGER audit_stays; {alteration}; PRAGMA wal_checkpoint(TRUNCATE);")
        assert any(words in problem for problem in look(logged).problems), alteration
        assert (await command(workspace, "audit", "log")).returncode == 0, alteration
        with closing(connect(logged)) as connection:
            prune(connection, 5)  # a daemon gets on with it, whatever somebody did to it
        logged.write_bytes(whole)
    with closing(sqlite3.connect(logged, isolation_level=None)) as connection:
        connection.execute("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)")
    assert look(logged).problems == [], "nothing in the journal tells of a change of settings"
    [problem] = look(logged, head).problems
    assert "is not the one that was kept" in problem, "but a head that was kept elsewhere does"
    done = await command(workspace, "audit", "verify", "--head", head)
    assert (done.returncode, done.stdout.strip()) == (1, problem)


def test_the_oldest_entries_go_and_the_rest_still_holds(tmp_path: Path) -> None:
    path, now = tmp_path / "picklebot.db", int(datetime(2030, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
    with closing(connect(path)) as connection:
        migrate(connection, path)
        connection.execute("BEGIN")
        for n in range(50):
            append(connection, "person", {"about": f"telegram:{n}", "what": "shut out"}, now + n)
        early = connection.execute("SELECT seq, digest FROM audit WHERE seq IN (30, 31) ORDER BY seq").fetchall()
        prune(connection, 30)
        connection.execute("COMMIT")
        proof = prove(connection, head=f"{early[0][0]}:{early[0][1].hex()}")
        assert (proof.first, proof.entries, proof.problems) == (31, 20, []), "also the anchor is a head"
        connection.execute("BEGIN")
        prune(connection, 50)
        append(connection, "person", {"about": "telegram:1", "what": "shut out"}, now)
        connection.execute("COMMIT")
        assert (proof := prove(connection)).problems == []
        assert proof.head.startswith("51:")
        [gone] = prove(connection, head=f"{early[1][0]}:{early[1][1].hex()}").problems
        assert "has let it go" in gone
