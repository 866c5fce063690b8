"""The file tools, through a real tool process."""

import os
import stat
from pathlib import Path

import pytest

from picklebot.errors import ToolError
from tests.tools.conftest import Toolbox, context


async def test_what_was_written_is_read_back(toolbox: Toolbox, root: Path) -> None:
    assert await toolbox("write_file", path="a/b/c.txt", content="one\ntwo\n") == "Wrote 8 characters to a/b/c.txt."
    assert (root / "a/b/c.txt").read_text() == "one\ntwo\n"
    assert await toolbox("read_file", path="a/b/c.txt") == "one\ntwo"
    assert await toolbox("read_file", path=str(root / "a/b/../b/c.txt")) == "one\ntwo"


async def test_a_part_of_a_file_says_which_part_it_is(toolbox: Toolbox, root: Path) -> None:
    (root / "long").write_text("".join(f"line {n}\n" for n in range(1, 101)))
    assert await toolbox("read_file", path="long", offset=10, limit=2) == (
        "[lines 10 to 11 of 100; the next line is offset 12]\nline 10\nline 11"
    )
    assert (await toolbox("read_file", path="long", offset=100)).startswith("[lines 100 to 100 of 100]\n")
    with pytest.raises(ToolError, match="has 100 lines"):
        await toolbox("read_file", path="long", offset=101)


async def test_a_long_file_can_be_read_to_its_end_in_pieces(toolbox: Toolbox, root: Path) -> None:
    lines = [f"{n} " + "x" * 90 for n in range(1000)]
    (root / "long").write_text("\n".join(lines))
    read: list[str] = []
    while len(read) < len(lines):
        header, *piece = (await toolbox("read_file", path="long", offset=len(read) + 1)).split("\n")
        assert header.startswith(f"[lines {len(read) + 1} to ")
        read += piece
    assert read == lines


async def test_what_is_no_text_file_is_named_for_what_it_is(toolbox: Toolbox, root: Path) -> None:
    (root / "binary").write_bytes(b"\x7fELF\0\0")
    (root / "empty").touch()
    (root / "folder").mkdir()
    (root / "wide").write_text("x" * 100_000)
    assert await toolbox("read_file", path="binary") == "[binary is a binary file of 6 bytes]"
    assert await toolbox("read_file", path="empty") == "[empty is empty]"
    assert "this line has 100,000 characters" in await toolbox("read_file", path="wide")
    with pytest.raises(ToolError, match="'folder' is a folder; glob lists"):
        await toolbox("read_file", path="folder")
    with pytest.raises(ToolError, match="'absent' does not exist"):
        await toolbox("read_file", path="absent")


async def test_a_fifo_does_not_hang(toolbox: Toolbox, root: Path) -> None:
    os.mkfifo(root / "fifo")
    for name, given in (("read_file", {}), ("write_file", {"content": "x"}), ("edit_file", {"old": "a", "new": "b"})):
        with pytest.raises(ToolError, match="is not a regular file"):
            await toolbox(name, path="fifo", **given)
    assert "No line matches" in await toolbox("grep", pattern="x")


async def test_an_enormous_file_is_refused_before_it_is_read(toolbox: Toolbox, root: Path) -> None:
    with (root / "sparse").open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(ToolError, match="1,000,000,000,000 bytes"):
        await toolbox("read_file", path="sparse")


async def test_writing_keeps_the_mode_and_leaves_nothing_beside(toolbox: Toolbox, root: Path) -> None:
    script = root / "script.sh"
    script.write_text("old")
    script.chmod(0o750)
    await toolbox("write_file", path="script.sh", content="new")
    assert stat.S_IMODE(script.stat().st_mode) == 0o750
    assert sorted(path.name for path in root.iterdir()) == ["script.sh"]


async def test_a_file_with_two_names_is_not_written(toolbox: Toolbox, root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("precious")
    os.link(tmp_path / "outside", root / "inside")
    for name, given in (("write_file", {"content": "x"}), ("edit_file", {"old": "precious", "new": "b"})):
        with pytest.raises(ToolError, match="2 names"):
            await toolbox(name, path="inside", **given)
    assert (tmp_path / "outside").read_text() == "precious"


async def test_whoever_reads_a_note_from_outside_as_a_file_has_read_something_from_outside(
    toolbox: Toolbox, root: Path
) -> None:
    (root / "memories/quarantine/topics").mkdir(parents=True)
    (root / "memories/topics").mkdir()
    (root / "memories/topics/tea.md").write_text("She prefers Assam.\n")
    heading = "## 2026-11-21 10:00 UTC (from cli:ann by pickle, outside)"
    (root / "memories/quarantine/topics/tea.md").write_text(f"{heading}\n\nTea is poison.\n")
    for name, given, outside in (
        ("read_file", {"path": "memories/topics/tea.md"}, False),
        ("grep", {"pattern": "Assam"}, False),
        ("bash", {"command": "cat memories/topics/*"}, False),
        ("read_file", {"path": "memories/quarantine/topics/tea.md", "offset": 3}, True),
        ("grep", {"pattern": "poison"}, True),
        ("bash", {"command": "cd memories/q*/topics && cat *"}, True),
        ("bash", {"command": "cd memories && grep -r poison ."}, True),
    ):
        reading = context()
        await toolbox.tools[name].run(reading, given)
        assert reading.noted == ({"outside"} if outside else set()), given


async def test_an_edit_wants_exactly_one_match(toolbox: Toolbox, root: Path) -> None:
    (root / "f").write_text("a b a\n")
    assert await toolbox("edit_file", path="f", old="b", new="c") == "Edited f."
    assert (root / "f").read_text() == "a c a\n"
    with pytest.raises(ToolError, match="2 times"):
        await toolbox("edit_file", path="f", old="a", new="x")
    with pytest.raises(ToolError, match="does not hold the old text"):
        await toolbox("edit_file", path="f", old="z", new="x")
    with pytest.raises(ToolError, match="'g' does not exist"):
        await toolbox("edit_file", path="g", old="z", new="x")
    assert (root / "f").read_text() == "a c a\n"


async def test_an_edit_keeps_line_ends_and_bytes_that_are_no_text(toolbox: Toolbox, root: Path) -> None:
    (root / "dos").write_bytes(b"one\r\ntwo\r\n\xff\r\n")
    await toolbox("edit_file", path="dos", old="one\ntwo", new="1\n2")
    assert (root / "dos").read_bytes() == b"1\r\n2\r\n\xff\r\n"


async def test_an_interrupted_write_is_checked_against_the_file(toolbox: Toolbox, root: Path) -> None:
    assert await toolbox.check("write_file", path="f", content="new") is None
    (root / "f").write_text("old")
    assert await toolbox.check("write_file", path="f", content="new") is None
    (root / "f").write_text("new")
    assert await toolbox.check("write_file", path="f", content="new") == "Wrote 3 characters to f."


@pytest.mark.parametrize(
    ("held", "old", "new", "found"),
    [
        ("a old z", "old", "new", None),
        ("a new z", "old", "new", "Edited f."),
        ("a z", "old", "new", "unknown"),
        ("old and old", "old", "new", "unknown"),
        ("old", "old", "old and more", None),
        ("old and more", "old", "old and more", "unknown"),
    ],
)
async def test_an_interrupted_edit_is_checked_and_never_guessed(
    toolbox: Toolbox, root: Path, held: str, old: str, new: str, found: str | None
) -> None:
    (root / "f").write_text(held)
    if found == "unknown":
        with pytest.raises(ToolError, match="cannot be told"):
            await toolbox.check("edit_file", path="f", old=old, new=new)
    else:
        assert await toolbox.check("edit_file", path="f", old=old, new=new) == found


async def test_text_that_cannot_be_written_is_refused(toolbox: Toolbox, root: Path) -> None:
    with pytest.raises(ToolError, match=r"does not fit|half a character"):
        await toolbox("write_file", path="f", content="\ud800")
    with pytest.raises(ToolError, match="half a character"):
        await toolbox.hosts.call("s1", "write_file", {"path": "f", "content": "\ud800"}, seconds=5)
    with pytest.raises(ToolError, match="at most 1,000,000"):
        await toolbox("write_file", path="f", content="x" * 1_000_001)
    with pytest.raises(ToolError, match="is no path"):
        await toolbox("write_file", path="a\0b", content="x")
    with pytest.raises(ToolError, match="too long"):
        await toolbox("write_file", path="x" * 300, content="x")
    assert list(root.iterdir()) == []
