from pathlib import Path

import pytest
from pydantic import ValidationError

from picklebot.definitions.agents import AgentSpec, ModelChoice, parse_agent
from picklebot.definitions.spec import BudgetSpec
from picklebot.errors import DefinitionError

FILES = Path(__file__).parent / "files"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "scout").mkdir()
    return tmp_path / "scout" / "AGENT.md"


def parsed(path: Path, front: str, body: str = "Scout ahead.") -> tuple[AgentSpec, list[str]]:
    path.write_text(f"---\n{front}\n---\n{body}\n", encoding="utf-8")
    return parse_agent(path, "scout")


def refused(path: Path, front: str) -> DefinitionError:
    with pytest.raises(DefinitionError) as caught:
        parsed(path, front)
    return caught.value


def test_an_agent_of_few_words_has_safe_defaults(path: Path) -> None:
    path.write_text("You scout.", encoding="utf-8")
    spec, notes = parse_agent(path, "scout")
    assert spec == AgentSpec(id="scout", name="scout", prompt="You scout.", path=path)
    assert (spec.tools, spec.skills, spec.max_concurrency, spec.queue) == (None, True, 4, "followup")
    assert (spec.sandbox, spec.dispatch, spec.runner, spec.model) == ("workspace", None, None, ModelChoice())
    assert notes == []


def test_every_key_of_the_contract_is_read(path: Path) -> None:
    (path.parent / "SOUL.md").write_text("\ufeffCalm.\r\n", encoding="utf-8")
    front = """
name: Scout
description: Looks ahead: far and wide
model: {name: m-1, provider: openai, max_tokens: 100, effort: high, fallback: [m-2, m-3]}
tools: [bash, memory]
disallowed_tools: [write_file]
skills: [maps, weather]
max_concurrency: 2
queue: steer
budget: {turn_usd: 0.50, day_usd: 5, turn_steps: 40, turn_seconds: 15m}
dispatch: [cookie]
sandbox: read-only
runner: {command: [python, "my agent.py"]}"""
    spec, notes = parsed(path, front)
    assert notes == []
    assert spec.name == "Scout"
    assert spec.description == "Looks ahead: far and wide"
    assert spec.soul == "Calm."
    assert spec.model == ModelChoice(
        name="m-1", provider="openai", max_tokens=100, effort="high", fallback=("m-2", "m-3")
    )
    assert spec.tools == ("bash", "save_memory", "search_memory", "read_memory", "memory")
    assert spec.disallowed_tools == ("write_file",)
    assert spec.skills == ("maps", "weather")
    assert (spec.max_concurrency, spec.queue, spec.sandbox) == (2, "steer", "read-only")
    assert spec.budget == BudgetSpec(turn_usd=0.5, day_usd=5, turn_steps=40, turn_seconds=900)
    assert spec.dispatch == ("cookie",)
    assert spec.runner is not None
    assert spec.runner.command == ("python", "my agent.py")


def test_a_claude_code_file_drops_in() -> None:
    spec, notes = parse_agent(FILES / "claude-reviewer.md", "claude-reviewer")
    assert spec.name == "code-reviewer"
    assert spec.description == "Reviews code. Use proactively after changes: finds bugs, not style."
    assert spec.tools == ("read_file", "grep", "glob", "bash", "mcp__github__list_issues")
    assert spec.disallowed_tools == ("write_file", "edit_file")
    assert spec.model.name is None
    assert spec.budget.turn_steps == 12
    assert spec.prompt == "You are a careful reviewer."
    assert notes == [
        "line 8: not read here: permission_mode, color",
        "line 4: the pattern in 'Bash(git diff:*)' is not enforced: the whole tool is allowed",
    ]


@pytest.mark.parametrize(
    "written", ["Read, Bash(git diff *), Task", "Read Bash(git diff *) Task", "[Read, Bash, Task]"]
)
def test_a_list_may_be_written_in_three_ways(path: Path, written: str) -> None:
    assert parsed(path, f"tools: {written}")[0].tools == ("read_file", "bash", "subagent_dispatch")


@pytest.mark.parametrize(
    ("front", "tools"), [("tools: []", ()), ("tools: *", None), ("tools:", None), ("tools: Read, Read", ("read_file",))]
)
def test_all_tools_and_no_tools_are_different(path: Path, front: str, tools: object) -> None:
    assert parsed(path, front)[0].tools == tools


def test_disallowing_everything_leaves_nothing(path: Path) -> None:
    assert parsed(path, "disallowed_tools: '*'")[0].tools == ()


@pytest.mark.parametrize(("written", "name"), [("opus", "opus"), ("inherit", None), ("{name: haiku}", "haiku")])
def test_a_models_alias_is_kept_and_inherit_means_the_default(path: Path, written: str, name: str | None) -> None:
    assert parsed(path, f"model: {written}\neffort: low")[0].model == ModelChoice(name=name, effort="low")


@pytest.mark.parametrize(("written", "skills"), [("off", False), ("yes", True), ("maps, sea", ("maps", "sea"))])
def test_skills_are_all_none_or_some(path: Path, written: str, skills: object) -> None:
    assert parsed(path, f"skills: {written}")[0].skills == skills


def test_off_is_a_sandbox_and_not_a_falsehood(path: Path) -> None:
    assert parsed(path, "sandbox: off")[0].sandbox == "off"


def test_a_name_is_text_however_it_looks(path: Path) -> None:
    assert [parsed(path, f"name: {name}")[0].name for name in ("1.10", "7", "no", "true")] == [
        "1.10",
        "7",
        "no",
        "true",
    ]


@pytest.mark.parametrize(
    ("front", "line", "words"),
    [
        ("name: x\nmax_concurrency: 0", 3, "greater than or equal to 1"),
        ("max_concurrency: many", 2, "max_concurrency: "),
        ("max_concurrency: true", 2, "is not a number"),
        ("name: [a]", 2, "single line"),
        ("\nqueue: followups", 3, "did you mean 'followup'?"),
        ("sandbox: none", 2, "'read-only'"),
        ("budget: 5", 2, "keys of its own"),
        ("budget:\n  turn_usd: 1\n  dayUsd: lots", 4, "budget.day_usd"),
        ("budget: {turn_seconds: soon}", 2, "'1h30m'"),
        ("maxTurns: none", 2, "budget.turn_steps"),
        ("tools: {bash: yes}", 2, "no list of names"),
        ("tools: Bash(git", 2, "parentheses"),
        ("dispatch: [../etc]", 2, "no id"),
        ("runner: {}", 2, "runner.command: is needed"),
        ("runner: {command: []}", 2, "runner.command"),
        ("model: [a, b]", 2, "keys of its own"),
        ("model: {effort: huge}", 2, "'medium'"),
    ],
)
def test_a_wrong_value_is_an_error_on_the_line_of_its_key(path: Path, front: str, line: int, words: str) -> None:
    error = refused(path, front)
    assert (error.line, error.path, words in error.reason) == (line, path, True), str(error)


def test_a_misspelt_key_gets_the_nearest_name(path: Path) -> None:
    _, notes = parsed(path, "disalowed-tools: bash\nbudget: {turn_step: 4, colour: 1}\nflavour: sour")
    assert notes == [
        "line 2: disalowed_tools is no key here and was not read: did you mean 'disallowed_tools'?",
        "line 4: not read here: flavour",
        "line 3: budget.turn_step is no key here and was not read: did you mean 'turn_steps'?",
        "line 3: not read here: budget.colour",
    ]


def test_frontmatter_cannot_set_what_is_not_its_own(path: Path) -> None:
    spec, _ = parsed(path, "id: other\nprompt: other\nsoul: other\npath: /etc/passwd")
    assert (spec.id, spec.prompt, spec.soul, spec.path) == ("scout", "Scout ahead.", "", path)


def test_a_fence_below_the_first_line_is_noted(path: Path) -> None:
    path.write_text("\n---\nname: x\n---\n", encoding="utf-8")
    assert "not on the first line" in parse_agent(path, "scout")[1][0]


def test_a_broken_soul_is_an_error_of_its_own_file(path: Path) -> None:
    (path.parent / "SOUL.md").write_bytes(b"calm\n\xff")
    error = refused(path, "name: x")
    assert (error.path, error.line) == (path.parent / "SOUL.md", 2)


def test_a_spec_is_frozen() -> None:
    with pytest.raises(ValidationError):
        AgentSpec(id="scout").name = "other"
