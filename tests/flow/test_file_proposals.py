"""Files that steer agents: an agent proposes, the owner decides, and nothing gets around it (contracts.md 4.6)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from picklebot.core.messages import Message
from picklebot.testing import FakeChannel, ScriptedModel
from tests.flow.conftest import Daemon

JOB = "---\nname: Brief\nschedule: 0 9 * * *\n---\nTell me the news.\n"
SKILL = "---\nname: tea\ndescription: How to make tea.\n---\nBoil water.\n"


def call(tool: str, n: int = 1, /, **given: Any) -> Message:
    return Message("assistant", ({"type": "tool_use", "id": f"c{n}", "name": tool, "input": given},))


def write(path: str, content: str, n: int = 1) -> Message:
    return call("write_file", n, path=path, content=content)


def result(model: ScriptedModel) -> str:
    return str(model.requests[-1].messages[-1].blocks[0]["content"])


@pytest.fixture
def channel() -> FakeChannel:
    """A place that only the owner can speak from."""
    return FakeChannel("ws")


async def ask(channel: FakeChannel, words: str, *, peer: str = "ann") -> str:
    await channel.say(words, peer=peer)
    return (await channel.heard())[1]


def written(workspace: Path) -> dict[Path, str]:
    """Return the files of a workspace that hold anything, but for the daemon's own."""
    files = (path for path in workspace.rglob("*") if path.is_file() and ".picklebot" not in path.parts)
    return {path: text for path in files if (text := path.read_text())}


async def test_a_proposed_job_is_in_force_after_approve_and_not_before(
    daemon: Daemon, channel: FakeChannel, workspace: Path
) -> None:
    model = ScriptedModel(write("crons/brief/CRON.md", JOB), "I proposed it.")
    async with daemon(model, channel) as app:
        await ask(channel, "news at nine, please")
        assert "NOT in force: New job brief: on 0 9 * * *." in result(model)
        assert not (workspace / "crons" / "brief").exists()
        answer = await ask(channel, "/approve")
        assert answer.startswith("crons/brief/CRON.md is in force.")
        assert "Tell me the news." in answer
        assert app.library.crons["brief"].schedule == "0 9 * * *", "at once, without a restart"
    assert (workspace / "crons/brief/CRON.md").read_text() == JOB
    assert [path.name for path in (workspace / "crons/brief").iterdir()] == ["CRON.md"]


async def test_a_denied_file_is_never_there(daemon: Daemon, channel: FakeChannel, workspace: Path) -> None:
    async with daemon(ScriptedModel(write("skills/tea/SKILL.md", SKILL), "proposed"), channel):
        await ask(channel, "x")
        assert "Refused" in await ask(channel, "/deny")
        assert await ask(channel, "/approve") == "Nothing waits for an answer."
    assert not (workspace / "skills" / "tea").exists()


async def test_an_edit_is_shown_as_a_difference(daemon: Daemon, channel: FakeChannel, workspace: Path) -> None:
    edit = call("edit_file", path="agents/echo/AGENT.md", old="Say back what you hear.", new="Say it louder.")
    async with daemon(ScriptedModel(edit, "proposed"), channel) as app:
        await ask(channel, "x")
        answer = await ask(channel, "/approve")
        assert "-Say back what you hear.\n+Say it louder." in answer
        assert app.library.agents["echo"].prompt == "Say it louder."


async def test_an_empty_definition_is_removed_and_kept_aside(
    daemon: Daemon, channel: FakeChannel, workspace: Path
) -> None:
    (workspace / "crons/brief").mkdir(parents=True)
    (workspace / "crons/brief/CRON.md").write_text(JOB)
    (workspace / "crons/.done/brief").mkdir(parents=True)
    async with daemon(ScriptedModel(write("crons/brief/CRON.md", ""), "proposed"), channel) as app:
        await ask(channel, "x")
        answer = await ask(channel, "/approve")
        assert "crons/brief/CRON.md is removed" in answer
        assert "Tell me the news." in answer
        assert "brief" not in app.library.crons
    [aside] = [path for path in (workspace / "crons/.done").iterdir() if path.name != "brief"]
    assert (aside / "CRON.md").read_text() == JOB


@pytest.mark.parametrize(
    ("path", "content", "said"),
    [
        ("crons/brief/CRON.md", "---\nschedule: 99 * * * *\n---\nx", "crons/brief/CRON.md:2: schedule:"),
        ("crons/brief/CRON.md", "---\nevery: 5m\n---\n", "there is no text below"),
        ("crons/brief.md", JOB, "nothing reads this: write crons/brief/CRON.md"),
        ("crons/brief/cron.md", JOB, "the file is called CRON.md"),
        ("crons/br ief/CRON.md", JOB, "'br ief' is no id"),
        ("skills/tea/SKILL.md", "---\nname: tea\n---\nx", "a skill needs a description"),
        ("agents/x.md", "---\nmodel: [\n---\n", "agents/x.md:3"),
        ("agents/x/AGENT.md", "", "there is no agents/x/AGENT.md to remove"),
        ("agents/echo/AGENT.md", "a" * 300_000, "at most 262,144 are proposed"),
    ],
)
async def test_a_file_that_would_not_work_goes_back_to_the_model(
    daemon: Daemon, channel: FakeChannel, path: str, content: str, said: str
) -> None:
    model = ScriptedModel(write(path, content), "oh")
    async with daemon(model, channel):
        await ask(channel, "x")
        assert said in result(model)
        assert await ask(channel, "/approve") == "Nothing waits for an answer."


@pytest.mark.parametrize(
    "path",
    [
        "config.yaml",
        "CONFIG.yaml",
        "tools/mine.py",
        ".env",
        ".picklebot/picklebot.db",
        "Crons/brief/CRON.md",
        "crons/.done/brief/CRON.md",
        "skills/tea/.git/hooks/post-commit",
        "skills/tea/.envrc",
        "agents.md",
    ],
)
async def test_some_files_cannot_even_be_proposed(
    daemon: Daemon, channel: FakeChannel, workspace: Path, path: str
) -> None:
    before = written(workspace)
    model = ScriptedModel(write(path, JOB), "oh")
    async with daemon(model, channel):
        await ask(channel, "x")
        assert "not available" in result(model)
        assert await ask(channel, "/approve") == "Nothing waits for an answer."
    assert written(workspace) == before


@pytest.mark.parametrize("path", ["notes/jobs/brief/CRON.md", "notes/../crons/brief/CRON.md", "./crons//brief/CRON.md"])
async def test_a_way_around_by_links_or_dots_leads_to_the_same_proposal(
    daemon: Daemon, channel: FakeChannel, workspace: Path, path: str
) -> None:
    (workspace / "notes").mkdir()
    (workspace / "crons").mkdir()
    (workspace / "notes/jobs").symlink_to("../crons")
    model = ScriptedModel(write(path, JOB), "proposed")
    async with daemon(model, channel):
        await ask(channel, "x")
        assert not (workspace / "crons/brief").exists()
        assert "crons/brief/CRON.md is in force." in await ask(channel, "/approve")


async def test_a_link_put_in_the_way_after_the_proposal_is_not_followed(
    daemon: Daemon, channel: FakeChannel, workspace: Path
) -> None:
    model = ScriptedModel(write("crons/brief/CRON.md", JOB), "proposed")
    async with daemon(model, channel):
        await ask(channel, "x")
        (workspace / "elsewhere").mkdir()
        (workspace / "crons").rmdir()
        (workspace / "crons").symlink_to("elsewhere")
        assert "symbolic link" in await ask(channel, "/approve")
    assert list((workspace / "elsewhere").iterdir()) == []


async def test_a_file_that_changed_meanwhile_is_left_alone(
    daemon: Daemon, channel: FakeChannel, workspace: Path
) -> None:
    file = workspace / "agents/echo/AGENT.md"
    model = ScriptedModel(write("agents/echo/AGENT.md", "---\nname: Echo\n---\nObey.\n"), "proposed")
    async with daemon(model, channel):
        await ask(channel, "x")
        file.write_text("---\nname: Echo\n---\nMine.\n")
        assert "was changed since this was proposed" in await ask(channel, "/approve")
        assert file.read_text().endswith("Mine.\n")
        assert await ask(channel, "/approve") == "Nothing waits for an answer."


async def test_a_stranger_can_neither_approve_nor_let_the_model_do_it(
    daemon: Daemon, channel: FakeChannel, workspace: Path
) -> None:
    stranger = FakeChannel("telegram")
    model = ScriptedModel(write("crons/brief/CRON.md", JOB), "/approve", "/approve")
    async with daemon(model, channel, stranger):
        await ask(stranger, "a job, please")
        assert "Only the owner can agree, and not in this conversation" in result(model)
        assert "Only the owner decides" in await ask(stranger, "/approve")
        assert not (workspace / "crons" / "brief").exists()
        assert "Tell me the news." in await ask(channel, "/approve")
        assert not (workspace / "crons" / "brief").exists(), "shown here first"
        assert "in force" in await ask(channel, "/approve")


async def test_what_the_owner_kept_as_prompt_is_proposed_too(
    daemon: Daemon, channel: FakeChannel, workspace: Path
) -> None:
    model = ScriptedModel(write("USER.md", "Ann likes tea.\n"), "proposed", "as you say")
    async with daemon(model, channel):
        await ask(channel, "x")
        assert (workspace / "USER.md").read_text() == "", "the sandbox keeps its place"
        assert "USER.md is in force." in await ask(channel, "/approve")
        await ask(channel, "y")
        assert "Ann likes tea." in str(model.requests[-1].system)


async def test_a_second_thought_takes_the_place_of_the_first(
    daemon: Daemon, channel: FakeChannel, workspace: Path
) -> None:
    later = JOB.replace("0 9", "0 10")
    model = ScriptedModel(write("crons/a/CRON.md", JOB), "one", write("crons/a/CRON.md", later, 2), "two")
    async with daemon(model, channel):
        await ask(channel, "at nine")
        first = result(model).split()[2].rstrip(",")
        await ask(channel, "no, ten")
        assert "no longer open (replaced by" in await ask(channel, f"/approve {first}")
        assert "in force" in await ask(channel, "/approve")
    assert (workspace / "crons/a/CRON.md").read_text() == later


async def test_an_agent_without_write_file_proposes_nothing(
    daemon: Daemon, channel: FakeChannel, agent: Callable[..., None]
) -> None:
    agent("echo", tools="[read_file]")
    model = ScriptedModel(write("crons/a/CRON.md", JOB), "oh")
    async with daemon(model, channel):
        await ask(channel, "x")
        assert await ask(channel, "/approve") == "Nothing waits for an answer."
