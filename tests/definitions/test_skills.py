from pathlib import Path

import pytest

from picklebot.definitions.skills import SkillSpec, parse_skill
from picklebot.errors import DefinitionError

FILES = Path(__file__).parent / "files"


def parsed(folder: Path, front: str) -> SkillSpec:
    path = folder / "SKILL.md"
    path.write_text(f"---\n{front}\n---\nDo this.\n", encoding="utf-8")
    spec, notes = parse_skill(path, "pdf-forms")
    assert spec.notes == tuple(notes)
    return spec


def test_a_skill_by_the_book_has_no_notes(tmp_path: Path) -> None:
    front = """name: pdf-forms
description: Fills in PDF forms.
license: MIT
compatibility: needs poppler
allowed-tools: Bash(pdftk *) Read
metadata: {author: someone, version: "1.0"}"""
    spec = parsed(tmp_path, front)
    assert spec == SkillSpec(
        id="pdf-forms",
        name="pdf-forms",
        description="Fills in PDF forms.",
        body="Do this.",
        path=tmp_path,
        license="MIT",
        compatibility="needs poppler",
        metadata={"author": "someone", "version": "1.0"},
        allowed_tools=("Bash(pdftk *)", "Read"),
    )


def test_an_openclaw_skill_is_read_with_its_nested_metadata() -> None:
    spec, notes = parse_skill(FILES / "openclaw-skill.md", "gemini")
    assert spec.metadata["openclaw"]["requires"] == {"bins": ["gemini"]}
    assert spec.allowed_tools == ("Bash(gemini *)", "Read")
    assert notes == ["line 4: not read here: homepage"]


def test_whatever_else_is_odd_becomes_a_note(tmp_path: Path) -> None:
    spec = parsed(tmp_path, f"name: PDF Forms\ndescription: {'x' * 2000}\nlicense: [a]\nallowed_tools: Bash(")
    assert (spec.name, spec.license, spec.allowed_tools) == ("PDF Forms", None, ())
    assert [note.split(":")[0] for note in spec.notes] == ["line 4", "line 3", "line 5", "line 2"]


def test_a_name_that_is_not_the_folders_is_a_note(tmp_path: Path) -> None:
    spec = parsed(tmp_path, "name: forms\ndescription: x")
    assert spec.id == "pdf-forms"
    assert "not that of the folder" in spec.notes[0]


@pytest.mark.parametrize(
    ("front", "line"), [("name: x", 1), ("name: x\ndescription:", 3), ("description: [a]", 2), ("description: 'a", 2)]
)
def test_without_a_description_there_is_no_skill(tmp_path: Path, front: str, line: int) -> None:
    with pytest.raises(DefinitionError) as caught:
        parsed(tmp_path, front)
    assert caught.value.line == line
