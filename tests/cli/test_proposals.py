"""What waits for the owner is in `proposals`, `status` and `doctor`, and answered by /approve from the shell too."""

import asyncio
from pathlib import Path

from picklebot.clock import SystemClock
from picklebot.core.proposals import Asking, Proposal, propose
from picklebot.core.source import Source
from picklebot.store.sqlite import SqliteStore
from picklebot.tools.base import ToolContext
from picklebot.workers.file_proposals import FileProposals
from picklebot.workers.people import People
from tests.cli.inside import command, document
from tests.cli.running import fill, run

JOB = "---\nname: Brief\nevery: 5m\n---\nTell me the news.\n"


async def a_job(store: SqliteStore) -> Proposal:
    """Propose a job as an agent does."""
    clock = SystemClock()
    files = FileProposals(proposals=store.proposals, is_owner=People({}, store.pairings).is_owner, now=clock.now)
    context = ToolContext(
        session_id="s1", agent_id="echo", source=Source("telegram", ("6",)), key="e1:0:c1", cause_id="e1"
    )
    await files.propose(context, "crons/brief/CRON.md", None, JOB)
    [made] = await store.proposals.open(clock.now())
    return made


async def a_trick(store: SqliteStore) -> Proposal:
    asking = Asking(session_id="s1", source=Source("telegram", ("6",)), key="k", at=SystemClock().now())
    draft = propose("task", {"prompt": "x"}, asking, title="A job\u202e\nok", details="line one\u200b\x1b[8m\nline two")
    return await store.proposals.propose(draft)


async def test_nothing_waits_where_nothing_ever_ran(workspace: Path) -> None:
    assert await document(workspace, "proposals", "list") == {"proposals": []}
    assert (await document(workspace, "status"))["proposals"] == []


async def test_what_waits_is_shown_everywhere(workspace: Path) -> None:
    made: Proposal = await fill(workspace, a_job)
    [listed] = (await document(workspace, "proposals", "list"))["proposals"]
    assert (listed["id"], listed["kind"], listed["about"]) == (made.id, "file", "crons/brief/CRON.md")
    assert made.id in (await command(workspace, "proposals", "list")).stdout
    shown = await command(workspace, "proposals", "show", made.id.upper())
    assert "Tell me the news." in shown.stdout
    assert (await document(workspace, "proposals", "show", made.id))["body"]["after"] == JOB
    assert f"Waits for /approve {made.id}: New job brief" in (await command(workspace, "status")).stdout
    assert [each["id"] for each in (await document(workspace, "status"))["proposals"]] == [made.id]
    [finding] = [each for each in (await document(workspace, "doctor"))["findings"] if each["check"] == "proposals"]
    assert made.id in finding["message"]
    assert (await command(workspace, "proposals", "show", "nosuch")).returncode == 1


async def test_what_an_eye_cannot_see_is_written_out(workspace: Path) -> None:
    made: Proposal = await fill(workspace, a_trick)
    shown = (await command(workspace, "proposals", "show", made.id)).stdout
    assert "line one<U+200B><U+001B>[8m\nline two" in shown
    assert "title: A job<U+202E>" in shown


async def test_the_owner_may_answer_from_the_shell(workspace: Path) -> None:
    made: Proposal = await fill(workspace, a_job)
    done = await asyncio.to_thread(run, workspace, "ask", f"/approve {made.id}")
    assert "crons/brief/CRON.md is in force." in done.stdout, done.stderr
    assert (await asyncio.to_thread((workspace / "crons/brief/CRON.md").read_text)) == JOB
    assert await document(workspace, "proposals", "list") == {"proposals": []}
    assert (await document(workspace, "proposals", "show", made.id))["state"] == "approved"
