"""`picklebot memory`, and what is remembered by agents, through the real program."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from shutil import rmtree
from typing import Any

import pytest

from picklebot.core.messages import Message
from picklebot.memory.index import Index
from picklebot.memory.memories import Memories
from picklebot.testing import FakeClock
from picklebot.testing.messages_api import MessagesApi
from tests.cli.running import run, run_json
from tests.memory.conftest import write
from tests.memory.embedder import serving

BINS = "the bins go out on Tuesday"


@pytest.fixture
def ready(tmp_path: Path) -> Path:
    """A workspace as `picklebot init` makes it."""
    top = tmp_path / "ready"
    assert run(None, "init", str(top), "--yes").returncode == 0
    return top


def forget_conversations(workspace: Path) -> None:
    """Remove all that the daemon keeps, and leave what is remembered."""
    rmtree(workspace / ".picklebot")


def test_notes_are_found_and_listed_with_their_places(workspace: Path) -> None:
    write(workspace / "memories", "topics/tea.md", "# Tea\n\nShe prefers Assam.\n")
    write(workspace / "memories", "projects/shed.md", "The roof leaks.\n")
    (note,) = run_json(workspace, "memory", "search", "assam", "--json")["notes"]
    assert (note["path"], note["line"], note["outside"], note["at"]) == ("topics/tea.md", 1, False, None)
    assert note["words"] == ["assam"]
    told = run(workspace, "memory", "search", "asam")
    assert told.stdout.startswith("topics/tea.md:1\n    # Tea\n    She prefers Assam.\n")
    files = run_json(workspace, "memory", "list", "--json")["files"]
    assert [(each["path"], each["bytes"]) for each in files] == [("projects/shed.md", 16), ("topics/tea.md", 26)]
    assert "projects/shed.md" in run(workspace, "memory", "list").stdout


def test_what_is_not_there_is_said_on_stderr(workspace: Path) -> None:
    found = run(workspace, "memory", "search", "assam")
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "Nothing was found.\n")
    assert "There are no notes" in run(workspace, "memory", "list").stderr
    assert run(workspace, "memory", "history", "topics/tea.md").stderr == "No agent has changed topics/tea.md.\n"
    assert run(workspace, "memory", "revert", "topics/tea.md").returncode == 1
    accepted = run(workspace, "memory", "accept", "topics/tea.md")
    assert (accepted.returncode, accepted.stderr) == (1, "picklebot: 'topics/tea.md' is not in quarantine\n")


def test_the_index_is_made_anew(workspace: Path) -> None:
    for number in range(3):
        write(workspace / "memories", f"topics/n{number}.md", f"note {number}\n")
    assert run(workspace, "memory", "reindex").stdout.startswith("Indexed 3 notes of 3 files in ")
    made = run_json(workspace, "memory", "reindex", "--json")
    assert (made["files"], made["notes"], made["problem"]) == (3, 3, None)
    (workspace / ".picklebot/memory.db").write_bytes(b"no database")
    assert len(run_json(workspace, "memory", "search", "note", "--json")["notes"]) == 3


def test_what_an_agent_changed_can_be_had_back_and_quarantine_left(workspace: Path) -> None:
    async def change() -> None:
        memories = Memories(workspace / "memories", workspace / ".picklebot", clock=FakeClock())
        at = FakeClock().now()
        await memories.save("tea", "Buy ours!", at=at, origin="cli:ann", by="pickle", outside=True)
        memories.versions.keep("topics/tea.md", b"Assam.\n", at=at, change="str_replace", by="pickle")
        await memories.close()

    write(workspace / "memories", "topics/tea.md", "Poison.\n")
    asyncio.run(change())
    (version,) = run_json(workspace, "memory", "history", "topics/tea.md", "--json")["versions"]
    assert (version["change"], version["by"]) == ("str_replace", "pickle")
    assert "str_replace" in run(workspace, "memory", "history", "memories/topics/tea.md").stdout
    assert run(workspace, "memory", "revert", "topics/tea.md").returncode == 0
    assert (workspace / "memories/topics/tea.md").read_text() == "Assam.\n"
    (found,) = run_json(workspace, "memory", "search", "buy", "--json")["notes"]
    assert found["outside"]
    assert "from outside" in run(workspace, "memory", "search", "buy").stdout
    assert "topics/tea.md now" in run(workspace, "memory", "accept", "quarantine/topics/tea.md").stdout
    assert "Buy ours!" in (workspace / "memories/topics/tea.md").read_text()


def test_an_embedder_that_is_down_is_told_of(workspace: Path) -> None:
    with (workspace / "config.yaml").open("a") as file:
        file.write("memory: {embeddings: {base_url: 'http://127.0.0.1:1', name: e5}}\n")
    write(workspace / "memories", "topics/tea.md", "Assam\n")
    found = run(workspace, "memory", "search", "assam")
    assert found.returncode == 0
    assert "topics/tea.md" in found.stdout
    assert "Searched by words alone, not by meaning: the embedder at 127.0.0.1:1 cannot be reached" in found.stderr
    again = run(workspace, "memory", "reindex")
    assert again.returncode == 1
    assert "They cannot be found by meaning yet: the embedder at 127.0.0.1:1" in again.stderr


def test_doctor_says_what_is_indexed_and_what_is_the_matter(workspace: Path) -> None:
    def findings() -> list[tuple[str, str]]:
        found = json.loads(run(workspace, "doctor", "--json").stdout)["findings"]
        return [(each["level"], each["message"]) for each in found if each["check"] == "memory"]

    async def fail() -> None:
        index = Index(workspace / "memories", workspace / ".picklebot/memory.db", clock=FakeClock())
        index.keep_problem("the embedder at 127.0.0.1:1 cannot be reached")
        index.close()

    assert findings() == []
    write(workspace / "memories", "topics/tea.md", "Assam\n")
    assert run(workspace, "memory", "reindex").returncode == 0
    assert findings() == [("ok", "1 note in the index")]
    with (workspace / "config.yaml").open("a") as file:
        file.write("memory: {embeddings: {base_url: 'http://127.0.0.1:1', name: e5}}\n")
    asyncio.run(fail())
    warning = "notes were not searched by meaning when last tried: the embedder at 127.0.0.1:1 cannot be reached"
    assert findings() == [("ok", "1 note in the index, 0 vectors"), ("warning", warning)]
    (workspace / ".picklebot/memory.db").write_bytes(b"no database" * 99)
    assert "is made anew when it is next needed" in findings()[0][1]


async def test_an_embedder_finds_by_meaning(workspace: Path) -> None:
    async with serving() as server:
        with (workspace / "config.yaml").open("a") as file:
            file.write(f"memory: {{embeddings: {{base_url: '{server.url}', name: thesaurus}}}}\n")
        write(workspace / "memories", "topics/a.md", "Der Schlüssel vom Fahrrad hängt im Flur.\n")
        write(workspace / "memories", "topics/b.md", "Das Auto steht in der Garage.\n")
        found = await asyncio.to_thread(run_json, workspace, "memory", "search", "bike key", "--json")
    assert found["problems"] == []
    assert (found["notes"][0]["path"], found["notes"][0]["why"]["meaning"]) == ("topics/a.md", 1)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("{name: x}", "memory.embeddings.base_url"),
        ("{provider: static, name: x, base_url: 'http://h'}", "memory.embeddings.base_url"),
        ("{base_url: 'http://h', name: x, api_key_env: NO_SUCH_KEY}", "NO_SUCH_KEY is neither in the environment"),
    ],
)
def test_an_embedder_that_cannot_be_is_refused_in_words(workspace: Path, settings: str, words: str) -> None:
    with (workspace / "config.yaml").open("a") as file:
        file.write(f"memory: {{embeddings: {settings}}}\n")
    found = run(workspace, "memory", "search", "x")
    assert found.returncode == 78
    assert words in found.stderr


@pytest.mark.parametrize("question", ["when do the bins go out?", "@cookie when do the bins go out?"])
def test_the_offline_model_answers_from_memory_after_all_conversations_are_gone(ready: Path, question: str) -> None:
    saved = run(ready, "ask", f"remember that {BINS}")
    assert saved.returncode == 0, saved.stderr
    forget_conversations(ready)
    answered = run(ready, "ask", question)
    assert answered.returncode == 0, answered.stderr
    assert BINS in answered.stdout


def agents(body: Mapping[str, Any]) -> Message | str:
    """Play pickle and cookie: save what is to be kept, search or dispatch for what is asked, answer from results."""
    last = body["messages"][-1]["content"]
    results = [block["content"] for block in last if isinstance(block, dict) and block["type"] == "tool_result"]
    if results:
        return f"From what I was told: {json.dumps(results, ensure_ascii=False)}"
    text = last if isinstance(last, str) else " ".join(block.get("text", "") for block in last)
    cookie = "keeper of memories" in json.dumps(body["system"])
    if "remember" in text:
        return used("save_memory", topic="household", content=BINS)
    if "cookie" in text and not cookie:
        return used("subagent_dispatch", agent_id="cookie", task="When do the bins go out?")
    return used("search_memory", query="bins")


def used(name: str, **given: Any) -> Message:
    return Message("assistant", ({"type": "tool_use", "id": f"toolu_{name}", "name": name, "input": given},))


@pytest.mark.parametrize("question", ["When do the bins go out?", "Ask cookie when the bins go out."])
async def test_a_model_answers_from_memory_after_all_conversations_are_gone(ready: Path, question: str) -> None:
    async with MessagesApi(default=agents) as api:
        settings = {
            "PICKLEBOT_MODEL__PROVIDER": "anthropic",
            "PICKLEBOT_MODEL__BASE_URL": api.url,
            "ANTHROPIC_API_KEY": "test",
        }
        saved = await asyncio.to_thread(lambda: run(ready, "ask", "Pickle: remember the bins.", **settings))
        assert saved.returncode == 0, saved.stderr
        assert "by pickle)" in (ready / "memories/topics/household.md").read_text()
        forget_conversations(ready)
        answered = await asyncio.to_thread(lambda: run(ready, "ask", question, **settings))
    assert answered.returncode == 0, answered.stderr
    assert BINS in answered.stdout
