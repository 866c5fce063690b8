"""The skills that a new workspace begins with are by the book (agentskills.io)."""

from pathlib import Path

import pytest

from picklebot.definitions.skill_needs import Machine, missing
from picklebot.definitions.skills import parse_skill

SHIPPED = sorted((Path(__file__).parents[2] / "skills").glob("*/SKILL.md"))


def test_four_skills_are_shipped() -> None:
    assert [path.parent.name for path in SHIPPED] == ["cron-ops", "memory-grep", "skill-creator", "tmux"]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_a_shipped_skill_is_by_the_book(path: Path) -> None:
    spec, notes = parse_skill(path, path.parent.name)
    assert notes == []
    assert spec.name == path.parent.name
    assert "Use it when" in spec.description
    assert len(path.read_text().splitlines()) < 100


def test_odd_metadata_asks_for_nothing() -> None:
    machine = Machine(find=lambda name: None)
    spec, _ = parse_skill(SHIPPED[0], "cron-ops")
    for odd in (None, 7, "x", "{", ["a"], {"openclaw": 3}, {"openclaw": {"requires": {"bins": {"a": 1}}}}):
        assert missing(spec.model_copy(update={"metadata": odd}), machine) == []
    old = {"clawdbot": '{"requires": {"bins": "a b"}}'}
    assert missing(spec.model_copy(update={"metadata": old}), machine) == ["the program a", "the program b"]
