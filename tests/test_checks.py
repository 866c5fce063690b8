"""Each check catches what was planted for it, and has nothing against its opposite."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from checks import docs, environment, excepts, file_length, imports, lock
from checks.tree import TOP

ROOMS = (
    "cli",
    "gateway",
    "workers",
    "agent",
    "store",
    "memory",
    "channels",
    "models",
    "tools",
    "definitions",
    "jobs",
    "core",
    "toolhost",
    "mcp",
    "sandbox",
    "web",
    "ipc",
)
MODULES = ("clock", "errors")


def plant(top: Path, path: str, text: str) -> Path:
    planted = top / path
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.write_text(text, encoding="utf-8")
    return Path(path)


def page_findings(top: Path, text: str) -> list[str]:
    page = plant(top, "README.md", text)
    return [str(finding) for finding in docs.findings_on(top, page)]


def block(language: str, text: str, *, before: str = "") -> str:
    return f"{before}\n```{language}\n{text}\n```\n"


def test_a_file_of_301_lines_is_too_long_and_one_of_300_is_not(tmp_path: Path) -> None:
    plant(tmp_path, "picklebot/a.py", "x = 1\n" * 300)
    plant(tmp_path, "tests/deep/b.py", "x = 1\n" * 301)
    [finding] = file_length.too_long(file_length.lengths(tmp_path))
    assert str(finding) == "tests/deep/b.py: 301 lines, at most 300"


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    import json\n",
        "async def f():\n    if True:\n        from json import loads\n",
        "def f():\n    import json  # lazy:\n",
        "from typing import TYPE_CHECKING\n",
        "import typing\nif typing.TYPE_CHECKING:\n    import json\n",
        "import importlib\nimportlib.import_module('json')\n",
        "json = __import__('json')\n",
    ],
)
def test_a_hidden_import_is_found(tmp_path: Path, text: str) -> None:
    assert imports.findings_in(tmp_path, plant(tmp_path, "picklebot/a.py", text))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("picklebot/a.py", "import json\nif True:\n    import re\n"),
        ("picklebot/a.py", "def f():\n    import json  # lazy: it takes a second\n"),
        ("picklebot/a.py", "def f():\n    from json import (\n        loads,\n    )  # lazy: it takes a second\n"),
        ("picklebot/a.py", "import importlib\nimportlib.import_module('json')  # lazy: it takes a second\n"),
        ("picklebot/plugins.py", "import importlib\nimportlib.import_module('json')\n"),
    ],
)
def test_a_plain_or_marked_import_is_fine(tmp_path: Path, path: str, text: str) -> None:
    assert imports.findings_in(tmp_path, plant(tmp_path, path, text)) == []


@pytest.mark.parametrize(
    "catch",
    [
        "try:\n    f()\nexcept:\n    pass\n",
        "try:\n    f()\nexcept Exception:\n    pass\n",
        "try:\n    f()\nexcept (KeyError, BaseException) as error:\n    raise\n",
        "try:\n    f()\nexcept* Exception:\n    pass\n",
        "with contextlib.suppress(Exception):\n    f()\n",
    ],
)
def test_a_catch_of_everything_is_counted(tmp_path: Path, catch: str) -> None:
    plant(tmp_path, "picklebot/narrow.py", "try:\n    f()\nexcept (KeyError, OSError):\n    pass\n")
    plant(tmp_path, "picklebot/broad.py", catch)
    assert [finding.path.name for finding in excepts.broad_catches(tmp_path)] == ["broad.py"]


@pytest.mark.parametrize(("count", "code"), [(3, 0), (4, 1)])
def test_three_catches_of_everything_are_allowed_and_four_are_not(tmp_path: Path, count: int, code: int) -> None:
    plant(tmp_path, "picklebot/a.py", "try:\n    f()\nexcept Exception:\n    pass\n" * count)
    command = [sys.executable, "-m", "checks.excepts", str(tmp_path)]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout
    assert done.stdout.count("picklebot/a.py:") == count, "each is listed, allowed or not"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("see [there](docs/nowhere.md)", "leads to no file"),
        ("see ![picture][p]\n\n[p]: nowhere.png", "leads to no file"),
        ("<img src='nowhere.png'>", "leads to no file"),
        ("# One\n\nsee [two](#two)", "leads to no heading"),
        (block("yaml", "schedule: */15 * * * *"), "this is no YAML"),
        (block("python", "raise SystemExit(3)"), "ended with 3"),
        (block("python", "import socket\nsocket.create_connection(('192.0.2.1', 80))"), "NetworkRefused"),
        (block("sh", "picklebot no-such-command"), "this sh block ended with"),
        (block("sh", "NO_COLOR=1 NAME='a b' picklebot no-such-command"), "this sh block ended with"),
        (block("console", "$ echo hello | picklebot no-such-command \\\n    --at-all\nhello"), "this console block"),
        (block("sh", "false\npicklebot --version"), "this sh block ended with 1"),
    ],
)
def test_a_lie_in_the_documentation_is_found(tmp_path: Path, text: str, words: str) -> None:
    [finding] = page_findings(tmp_path, text)
    assert words in finding


def test_a_true_page_is_left_in_peace(tmp_path: Path) -> None:
    plant(tmp_path, "docs/Other page.md", "# What *is* `it`, then?\n# Twice\n# Twice\n<a id='here'></a>\n")
    other = "docs/Other%20page.md"
    text = f"""
# Top
[a]({other}#what-is-it-then) [b]({other}#twice-1) [c](<{other}#here>) [d](#top) [e](https://example.com/) [f](docs/)
`[code](nowhere.md)` and {block("text", "[code](nowhere.md)")}
{block("python", "import socket; socket.create_server(('127.0.0.1', 0)).close()")}
{block("sh", "curl https://example.com/ | sh")}
{block("sh", "picklebot no-such-command", before="<!-- no-test: there is no such command -->")}
{block("yaml", "a: 1")}
"""
    assert page_findings(tmp_path, text) == []


def test_a_page_has_a_copy_of_the_ready_workspace_to_itself(tmp_path: Path) -> None:
    plant(tmp_path, "agents/echo/AGENT.md", "---\nname: Echo\n---\n")
    first = block("python", "from pathlib import Path\nPath('agents/echo/AGENT.md').rename('moved.md')")
    second = block("python", "from pathlib import Path\nassert Path('moved.md').exists()")
    assert page_findings(tmp_path, first + second) == []
    assert (tmp_path / "agents/echo/AGENT.md").exists()


@pytest.mark.parametrize(
    ("importer", "imported", "kept"),
    [
        ("core/a.py", "picklebot.agent", False),
        ("models/a.py", "picklebot.store", False),
        ("store/a.py", "picklebot.memory", False),
        ("toolhost/__init__.py", "picklebot.errors", False),
        ("agent/a.py", "picklebot.toolhost", False),
        ("novelties/__init__.py", "picklebot.errors", False),
        ("tools/a.py", "picklebot.toolhost", True),
        ("store/a.py", "picklebot.models", True),
        ("cli/a.py", "picklebot.errors", True),
    ],
)
def test_imports_only_go_down_between_known_rooms(tmp_path: Path, importer: str, imported: str, kept: bool) -> None:
    for path in ("__init__.py", *(f"{room}/__init__.py" for room in ROOMS), *(f"{name}.py" for name in MODULES)):
        plant(tmp_path, f"picklebot/{path}", "")
    plant(tmp_path, f"picklebot/{importer}", f"import {imported}\n")
    shutil.copy(TOP / "pyproject.toml", tmp_path)
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is kept, done.stdout


def test_the_lock_pins_everything_that_is_asked_for() -> None:
    asked = lock.required((TOP / "pyproject.toml").read_text(encoding="utf-8"))
    names = {_project(re.split(r"[\[<>=;]", each)[0].strip()) for each in asked if "platform_system" not in each}
    text = environment.LOCK.read_text(encoding="utf-8")
    pins = lock.pinned(text)
    assert names <= {_project(pin.partition("==")[0]) for pin in pins}
    assert text == lock.HEADER + "".join(f"{pin}\n" for pin in pins), "a name and a version a line, sorted"


def _project(name: str) -> str:
    """Return a project's one name among its spellings (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_lock_takes_no_path_and_no_address() -> None:
    frozen = "b==1\n-e git+https://host/x#egg=x\n# comment\nc @ file:///tmp/c.whl\nA==2.0\n"
    assert lock.pinned(frozen) == ["A==2.0", "b==1"]


def test_make_says_in_words_that_no_python_will_do(tmp_path: Path) -> None:
    make = shutil.which("make")
    assert make is not None
    done = subprocess.run(
        [make, "test"], cwd=TOP, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "picklebot needs Python 3.11 or newer" in done.stderr
