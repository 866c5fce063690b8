import os
from pathlib import Path

import pytest

from picklebot.definitions.library import Change, Library
from picklebot.definitions.listing import MAX_DEFINITIONS
from picklebot.errors import NotFound

READY = Path(__file__).parents[2]


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def agent(workspace: Path, name: str, text: str = "Hello.") -> Path:
    return put(workspace / "agents" / name / "AGENT.md", text)


def cron(workspace: Path, name: str, schedule: str = "@daily") -> Path:
    return put(workspace / "crons" / name / "CRON.md", f"---\nschedule: {schedule}\n---\nTea.\n")


def test_the_ready_workspace_is_in_order() -> None:
    library = Library(READY)
    library.scan()
    assert library.problems == ()
    assert {"pickle", "cookie"} <= library.agents.keys()
    assert library.agents["pickle"].soul
    assert library.agents["cookie"].tools is not None
    assert "search_memory" in library.agents["cookie"].tools
    assert library.crons["morning-brief"].enabled is False
    assert [note for note in library.notes if note.kind != "skill"] == []


def test_an_empty_workspace_defines_nothing(tmp_path: Path) -> None:
    library = Library(tmp_path / "nowhere")
    assert library.scan() == []
    assert (dict(library.agents), dict(library.crons), dict(library.skills), library.problems) == ({}, {}, {}, ())


def test_each_kind_is_found_in_its_folder(tmp_path: Path) -> None:
    agent(tmp_path, "scout")
    put(tmp_path / "agents" / "flat.md", "Flat.")
    cron(tmp_path, "tea")
    put(tmp_path / "skills" / "pdf" / "SKILL.md", "---\ndescription: x\n---\n")
    library = Library(tmp_path)
    assert library.scan() == [
        Change(kind="agent", id="flat"),
        Change(kind="agent", id="scout"),
        Change(kind="cron", id="tea"),
        Change(kind="skill", id="pdf"),
    ]
    assert library.agents["flat"].prompt == "Flat."
    assert library.skills["pdf"].path == tmp_path / "skills" / "pdf"
    assert library.notes == ()


def test_nothing_new_is_nothing_changed(tmp_path: Path) -> None:
    path = agent(tmp_path, "scout")
    library = Library(tmp_path)
    library.scan()
    before = library.agents["scout"]
    assert library.scan() == []
    os.utime(path, ns=(0, 0))
    assert library.scan() == []
    assert library.agents["scout"] == before


def test_an_edit_counts_even_when_the_clock_is_wrong(tmp_path: Path) -> None:
    path = agent(tmp_path, "scout", "One.")
    library = Library(tmp_path)
    library.scan()
    old = path.stat().st_mtime_ns
    other = put(tmp_path / "other", "Two.")
    os.utime(other, ns=(old, old))
    other.rename(path)
    assert library.scan() == [Change(kind="agent", id="scout")]
    assert library.agents["scout"].prompt == "Two."


def test_a_soul_is_part_of_its_agent(tmp_path: Path) -> None:
    agent(tmp_path, "scout")
    put(tmp_path / "agents" / "flat.md", "Flat.")
    library = Library(tmp_path)
    library.scan()
    put(tmp_path / "agents" / "scout" / "SOUL.md", "Bold.")
    put(tmp_path / "agents" / "flat" / "SOUL.md", "Even.")
    assert [change.id for change in library.scan()] == ["flat", "scout"]
    assert (library.agents["scout"].soul, library.agents["flat"].soul) == ("Bold.", "Even.")
    assert library.notes == ()


def test_a_broken_file_keeps_its_last_good_version_in_force(tmp_path: Path) -> None:
    path = cron(tmp_path, "tea", "@daily")
    library = Library(tmp_path)
    library.scan()
    cron(tmp_path, "tea", "@dayly")
    (change,) = library.scan()
    assert (change.kind, change.id) == ("cron", "tea")
    assert change.error is not None
    assert change.error.startswith(f"{path}:2: schedule: ")
    assert library.crons["tea"].schedule == "@daily"
    (problem,) = library.problems
    assert (problem.kind, problem.id, problem.path, problem.line, problem.in_force) == ("cron", "tea", path, 2, True)
    assert library.scan() == []
    assert library.problems == (problem,)
    cron(tmp_path, "tea", "@hourly")
    assert library.scan() == [Change(kind="cron", id="tea")]
    assert library.crons["tea"].schedule == "@hourly"
    assert len(library.problems) == 0


def test_mending_a_file_to_what_it_was_is_news(tmp_path: Path) -> None:
    path = agent(tmp_path, "scout", "Good.")
    library = Library(tmp_path)
    library.scan()
    path.write_text("---\n", encoding="utf-8")
    library.scan()
    path.write_text("Good.", encoding="utf-8")
    assert library.scan() == [Change(kind="agent", id="scout")]
    assert library.problems == ()


def test_a_file_broken_from_the_start_is_not_in_force_and_stops_no_other(tmp_path: Path) -> None:
    agent(tmp_path, "bad", "---\nname: x")
    agent(tmp_path, "good")
    (tmp_path / "agents" / "pipe").mkdir()
    os.mkfifo(tmp_path / "agents" / "pipe" / "AGENT.md")
    (tmp_path / "agents" / "folder" / "AGENT.md").mkdir(parents=True)
    (tmp_path / "agents" / "loop").symlink_to("loop")
    library = Library(tmp_path)
    library.scan()
    assert list(library.agents) == ["good"]
    assert [(problem.id, problem.in_force) for problem in library.problems] == [
        ("bad", False),
        ("folder", False),
        ("loop", False),
        ("pipe", False),
    ]


def test_a_removed_file_is_forgotten_with_its_problems(tmp_path: Path) -> None:
    good, bad = agent(tmp_path, "good"), agent(tmp_path, "bad", "---\n")
    library = Library(tmp_path)
    library.scan()
    good.unlink()
    bad.unlink()
    assert library.scan() == [Change(kind="agent", id="bad"), Change(kind="agent", id="good")]
    assert (dict(library.agents), library.problems) == ({}, ())


def test_a_view_is_replaced_and_never_altered(tmp_path: Path) -> None:
    agent(tmp_path, "one")
    library = Library(tmp_path)
    library.scan()
    before = library.agents
    agent(tmp_path, "two")
    library.scan()
    assert (list(before), list(library.agents)) == (["one"], ["one", "two"])


def test_the_folder_form_wins_over_the_flat_one(tmp_path: Path) -> None:
    agent(tmp_path, "scout", "Folder.")
    flat = put(tmp_path / "agents" / "scout.md", "Flat.")
    library = Library(tmp_path)
    library.scan()
    assert library.agents["scout"].prompt == "Folder."
    (note,) = library.notes
    assert (note.id, note.path) == ("scout", flat)
    agent(tmp_path, "scout").unlink()
    assert library.scan() == [Change(kind="agent", id="scout")]
    assert library.agents["scout"].prompt == "Flat."


def test_what_is_done_hidden_or_prose_is_passed_over(tmp_path: Path) -> None:
    cron(tmp_path, ".done/tea")
    cron(tmp_path, ".done")
    put(tmp_path / "agents" / "README.md", "About these agents.")
    put(tmp_path / "agents" / ".DS_Store", "x")
    put(tmp_path / "agents" / "notes.txt", "x")
    library = Library(tmp_path)
    assert (library.scan(), library.problems, library.notes) == ([], (), ())


@pytest.mark.parametrize("name", ["my agent", "-x", "_x", "é", "x" * 65, "a.b"])
def test_an_id_that_cannot_be_one_is_a_problem(tmp_path: Path, name: str) -> None:
    agent(tmp_path, name)
    library = Library(tmp_path)
    assert library.scan() == []
    (problem,) = library.problems
    assert (problem.kind, problem.path) == ("agent", tmp_path / "agents")
    assert "cannot be the id of an agent" in problem.message


def test_a_name_that_no_log_can_print_is_a_problem_that_one_can(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path / "agents") + b"/\xff"
    Path(os.fsdecode(folder)).mkdir(parents=True)
    agent(tmp_path, os.fsdecode(b"\xff"))
    library = Library(tmp_path)
    library.scan()
    assert repr(library.problems).encode()


def test_a_folder_that_holds_nothing_of_ours_is_noted(tmp_path: Path) -> None:
    put(tmp_path / "crons" / "tea" / "cron.md", "x")
    put(tmp_path / "crons" / "loose.md", "x")
    (tmp_path / "agents" / "new").mkdir(parents=True)
    library = Library(tmp_path)
    assert (library.scan(), library.problems) == ([], ())
    assert [(note.kind, note.id, note.message) for note in library.notes] == [
        ("agent", "new", "the folder holds no AGENT.md"),
        ("cron", "loose", "this file is not read: a cron is crons/loose/CRON.md"),
        ("cron", "tea", "the folder holds no CRON.md: rename cron.md"),
    ]


def test_a_folder_that_cannot_be_read_loses_nothing(tmp_path: Path) -> None:
    agent(tmp_path, "scout")
    library = Library(tmp_path)
    library.scan()
    (tmp_path / "agents").rename(tmp_path / "away")
    put(tmp_path / "agents", "a file where a folder was")
    assert library.scan() == []
    assert list(library.agents) == ["scout"]
    assert "cannot be read" in library.problems[0].message


def test_there_is_a_most_and_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    for n in range(MAX_DEFINITIONS + 2):
        os.mkfifo(tmp_path / "agents" / f"a{n:05}.md")
    library = Library(tmp_path)
    assert len(library.scan()) == MAX_DEFINITIONS
    assert "5,002" in library.problems[0].message


def test_an_unknown_agent_is_answered_with_the_nearest_name(tmp_path: Path) -> None:
    agent(tmp_path, "scout")
    agent(tmp_path, "broken", "---\nqueue: never\n---\n")
    library = Library(tmp_path)
    library.scan()
    assert library.get_agent("scout").id == "scout"
    with pytest.raises(NotFound, match="did you mean 'scout'"):
        library.get_agent("scuot")
    with pytest.raises(NotFound, match="there is scout"):
        library.get_agent("zzz" * 10_000)
    with pytest.raises(NotFound, match=r"AGENT.md:2: queue: must be"):
        library.get_agent("broken")
