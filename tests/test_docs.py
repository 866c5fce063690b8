"""The documentation says what the program does, and leaves nothing out that a user can name."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from checks import catalogue, docs, reference
from checks.markdown import blocks
from checks.tree import TOP
from picklebot.cli import calling
from picklebot.definitions.agents import AgentSpec

PAGES = docs.pages(TOP)
SESSION = "<!-- session: offline -->"
NO_KEYS = {"id", "path", "prompt", "soul"}  # parts of an agent that its file does not say by a key


def page(name: str) -> str:
    return (TOP / name).read_text(encoding="utf-8")


def words(text: str) -> str:
    """Return `text` without the marks that a terminal renders, and without where its lines end."""
    return " ".join(re.findall(r"[^\s`*•]+", text))


@pytest.mark.timeout(180)
@pytest.mark.parametrize("path", PAGES, ids=str)
def test_every_block_of_a_page_runs_and_every_link_leads_somewhere(path: Path) -> None:
    assert docs.findings_on(TOP, path) == []


def test_the_reference_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "checks.reference"], cwd=TOP, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_reference_that_says_something_else_is_found(tmp_path: Path) -> None:
    text = page(str(reference.PAGE)).replace(
        "`limits.turn_steps` | integer | `40`", "`limits.turn_steps` | integer | `4`"
    )
    (tmp_path / "docs").mkdir()
    (tmp_path / reference.PAGE).write_text(text, encoding="utf-8")
    [finding] = reference.stale(tmp_path)
    assert "limits.turn_steps" in finding.message


def test_everything_in_the_reference_is_explained() -> None:
    silent = [setting.path for setting in catalogue.settings() if not setting.description]
    for command in catalogue.commands():
        silent += [] if command.help else [command.words]
        silent += [f"{command.words} {spelling}" for spelling, meaning, _ in command.takes if not meaning]
    silent += [tool.name for tool in catalogue.tools() if not tool.description]
    silent += [slash.name for slash in catalogue.slash_commands() if not slash.summary]
    # A dataclass without a docstring is given its signature for one.
    silent += [kind.__name__ for kind in catalogue.event_kinds() if f"{kind.__name__}(" in (kind.__doc__ or "")]
    assert silent == []


def test_each_thing_has_its_place_on_the_page_for_it() -> None:
    agents, cli, configuration = page("docs/agents.md"), page("docs/cli.md"), page("docs/configuration.md")
    architecture, tools = page("docs/architecture.md"), page("docs/tools.md")
    first_words = {command.words.partition(" ")[0] for command in catalogue.commands() if command.words}
    missing = [key for key in set(AgentSpec.model_fields) - NO_KEYS if f"| `{key}` |" not in agents]
    missing += [word for word in first_words if not re.search(rf"^\|.*`(picklebot )?{word}\b.*\|", cli, re.MULTILINE)]
    missing += [slash.name for slash in catalogue.slash_commands() if f"`/{slash.name}" not in cli]
    missing += [tool.name for tool in catalogue.tools() if f"| `{tool.name}` | {tool.effect.value} |" not in tools]
    missing += [kind.__name__ for kind in catalogue.event_kinds() if f"`{kind.__name__}`" not in architecture]
    missing += [name for name in reference.NOT_YET if "." not in name and f"`{name}`" not in configuration]
    assert missing == []


def test_a_setting_without_effect_is_a_setting() -> None:
    known = {setting.path for setting in catalogue.settings()}
    assert set(reference.NOT_YET) <= known


def test_every_exit_code_is_in_the_table() -> None:
    codes = {value for name, value in vars(calling).items() if name.isupper() and isinstance(value, int)}
    assert codes == {int(code) for code in re.findall(r"^\| (\d+) \|", page("docs/cli.md"), re.MULTILINE)}


def test_the_pictured_session_happens_again(tmp_path: Path) -> None:
    place, environment = docs.make_place(TOP, tmp_path)
    before, _, after = page("README.md").partition(SESSION)
    assert before
    pictured = blocks(after)[0].text
    typed = re.findall(r"^› (.+)$", pictured, re.MULTILINE)
    done = subprocess.run(
        ["picklebot", "chat"],
        cwd=place,
        env={**environment, "USER": os.environ.get("USER", "ada")},
        input="\n".join(typed),
        capture_output=True,
        text=True,
        check=True,
    )
    said = [line for line in done.stdout.splitlines() if words(line)]
    assert len(said) >= len(typed)
    assert [line for line in said if words(line) not in words(pictured)] == []
