"""glob and grep, through a real tool process."""

from pathlib import Path

import pytest

from picklebot.errors import ToolError
from tests.tools.conftest import Toolbox


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for name in ("a.py", "src/b.py", "src/deep/c.py", "src/d.md", ".git/config", ".env", ".picklebot/token", "z.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"this is {name}\nneedle here\n")
    return root


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*", "a.py src/ z.py"),
        ("*.py", "a.py z.py"),
        ("**/*.py", "a.py src/b.py src/deep/c.py z.py"),
        ("src/**", "src/ src/b.py src/d.md src/deep/ src/deep/c.py"),
        ("src/*.{py,md}", "src/b.py src/d.md"),
        ("**/deep/?.[pc]y", "src/deep/c.py"),
    ],
)
async def test_glob_finds_by_name_in_order_and_hides_what_is_hidden(toolbox: Toolbox, pattern: str, found: str) -> None:
    assert (await toolbox("glob", pattern=pattern)).split("\n") == found.split()


async def test_glob_says_that_nothing_matches(toolbox: Toolbox) -> None:
    assert "Nothing matches" in await toolbox("glob", pattern="*.rs")
    with pytest.raises(ToolError, match="outside"):
        await toolbox("glob", pattern="../*")


async def test_glob_shows_a_thousand_and_counts_the_rest(toolbox: Toolbox, root: Path) -> None:
    (root / "many").mkdir()
    for number in range(1005):
        (root / f"many/{number}").touch()
    lines = (await toolbox("glob", pattern="many/*")).split("\n")
    assert len(lines) == 1001
    assert lines[-1].startswith("[1,000 of 1,005 shown")


async def test_a_pattern_made_to_be_slow_is_not(toolbox: Toolbox) -> None:
    assert "Nothing matches" in await toolbox("glob", pattern="**/" * 200 + "x")
    assert "Nothing matches" in await toolbox("glob", pattern="*a" * 100)


async def test_grep_shows_path_line_and_text(toolbox: Toolbox) -> None:
    assert (await toolbox("grep", pattern="needle")).split("\n") == [
        f"{path}:2: needle here" for path in ("a.py", "src/b.py", "src/d.md", "src/deep/c.py", "z.py")
    ]
    assert await toolbox("grep", pattern="this", path="src/deep") == "src/deep/c.py:1: this is src/deep/c.py"
    assert await toolbox("grep", pattern="this", path="a.py") == "a.py:1: this is a.py"
    with pytest.raises(ToolError, match="'nowhere' does not exist"):
        await toolbox("grep", pattern="x", path="nowhere")
    with pytest.raises(ToolError, match="out of reach"):
        await toolbox("grep", pattern="x", path=".picklebot")
    with pytest.raises(ToolError, match="is no regular expression"):
        await toolbox("grep", pattern="(")


async def test_grep_stops_when_the_answer_is_full(toolbox: Toolbox, root: Path) -> None:
    (root / "many").write_text("needle\n" * 20_000 + "x" * 1000)
    said = await toolbox("grep", pattern="needle", path="many")
    assert said.endswith("[more lines match; a narrower pattern or path shows them]")
    assert len(said) < 30_000
    assert len(await toolbox("grep", pattern="xxx", path="many")) < 400


async def test_a_catastrophic_pattern_wedges_nobody(toolbox: Toolbox, root: Path) -> None:
    (root / "bait").write_text("a" * 60 + "!")
    given = {"pattern": "(a+)+$", "path": "bait"}
    with pytest.raises(ToolError, match=r"stopped after 0\.5 s"):
        await toolbox.hosts.call("s1", "grep", given, seconds=0.5)
    assert await toolbox("read_file", path="a.py") == "this is a.py\nneedle here"
