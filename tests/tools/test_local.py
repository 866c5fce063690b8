"""The user's own tools."""

import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from picklebot.errors import ConfigError
from picklebot.tools.local import load_local_tools
from tests.tools.conftest import context

SHOUT = '''
from __future__ import annotations
from picklebot.tools.function import tool

@tool
def shout(words: str) -> str:
    """Say it louder."""
    return words.upper()
'''


@pytest.fixture(autouse=True)
def forget() -> Generator[None]:
    yield
    for name in [name for name in sys.modules if name.startswith("picklebot_local_")]:
        del sys.modules[name]


async def test_every_tool_of_every_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "b.py").write_text(SHOUT)
    (tmp_path / "a.py").write_text(SHOUT.replace("shout", "cry") + "\nnothing = 1\nagain = cry\n")
    (tmp_path / "_private.py").write_text("1 / 0")
    (tmp_path / "notes.txt").write_text("1 / 0")
    tools = load_local_tools(tmp_path)
    assert [tool.name for tool in tools] == ["cry", "shout"]
    assert await tools[1].run(context(), {"words": "hey"}) == "HEY"
    assert not (tmp_path / "__pycache__").exists()


async def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SHOUT)
    load_local_tools(tmp_path)
    (tmp_path / "a.py").write_text(SHOUT.replace("upper", "lower"))
    (changed,) = load_local_tools(tmp_path)
    assert await changed.run(context(), {"words": "Hey"}) == "hey"


def test_no_folder_means_no_tools(tmp_path: Path) -> None:
    assert load_local_tools(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("x = 1\nimport no_such_module\n", r"a\.py:2: ModuleNotFoundError: .*no_such_module"),
        ("x = 1\n\nif x\n", r"a\.py:3: SyntaxError"),
        ("def f():\n    return 1 / 0\nf()\n", r"a\.py:2: ZeroDivisionError"),
        ("import sys\nsys.exit('no')\n", r"a\.py:2: SystemExit: no"),
        (
            "from picklebot.tools.function import tool\n@tool\ndef f(a):\n    'Doc.'\n",
            r"a\.py:2: TypeError: f\(a\) has no",
        ),
        ("x = '\0'", r"a\.py:"),
    ],
)
def test_a_file_that_cannot_be_loaded_is_named_with_its_line(tmp_path: Path, source: str, words: str) -> None:
    (tmp_path / "a.py").write_text(source)
    with pytest.raises(ConfigError, match=words):
        load_local_tools(tmp_path)
    assert "picklebot_local_a" not in sys.modules


def test_two_tools_of_one_name_are_refused_with_both_files(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(SHOUT)
    (tmp_path / "b.py").write_text(SHOUT)
    with pytest.raises(ConfigError, match=r"b\.py: the tool 'shout' is also in .*a\.py"):
        load_local_tools(tmp_path)
