"""The browser that is meant is found, and where there is none the run says what it left out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from checks.browser import NAMES, NoBrowser, find
from checks.tree import TOP

CONFTEST = """
import pytest
from tests.browsers import PLUGIN, Browsers, browser_of

def pytest_configure(config):
    config.pluginmanager.register(Browsers(config), PLUGIN)

@pytest.fixture
def browser_path(request):
    return browser_of(request.config)
"""
TESTS = """
def test_that_drives_a_browser(browser_path):
    print(f"drives {browser_path}")

def test_that_drives_none():
    pass
"""


def program(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_browser_is_found_by_each_of_its_names(tmp_path: Path, name: str) -> None:
    assert find({"PATH": str(tmp_path / "bin")} | {"X": str(program(tmp_path / "bin", name))}).name == name


def test_the_variable_wins_over_the_path(tmp_path: Path) -> None:
    program(tmp_path / "bin", "chromium")
    mine = program(tmp_path / "mine", "my-browser")
    assert find({"PATH": str(tmp_path / "bin"), "PICKLEBOT_BROWSER": str(mine)}) == mine


def test_a_variable_that_names_nothing_is_an_error_even_if_another_browser_is_there(tmp_path: Path) -> None:
    program(tmp_path / "bin", "chromium")
    with pytest.raises(NoBrowser, match="PICKLEBOT_BROWSER is '/no/such'"):
        find({"PATH": str(tmp_path / "bin"), "PICKLEBOT_BROWSER": "/no/such"})


def run(tmp_path: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(TESTS)
    # Not the variable of this run: it may name a browser.
    env = {name: value for name, value in os.environ.items() if name != "CI"}
    env |= {"PYTHONPATH": str(TOP), "PATH": str(tmp_path / "bin"), **variables}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", os.devnull]
    return subprocess.run(
        [*command, *arguments, str(tmp_path)], env=env, capture_output=True, text=True, check=False, timeout=50
    )


@pytest.mark.parametrize("arguments", [(), ("-n1",)])
def test_where_there_is_no_browser_its_tests_are_left_out_and_the_last_lines_say_so(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = run(tmp_path, *arguments)
    assert done.returncode == 0
    assert "1 passed" in done.stdout
    assert "NOT RUN: 1 tests of the web page, which need a real browser. There is no browser here" in done.stdout


def test_on_ci_they_fail_instead(tmp_path: Path) -> None:
    done = run(tmp_path, CI="true")
    assert done.returncode == 1
    assert "There is no browser here. Install Chromium" in done.stdout


def test_a_worker_of_a_parallel_run_drives_the_browser_that_the_run_was_given(tmp_path: Path) -> None:
    mine = program(tmp_path / "mine", "my-browser")
    done = run(tmp_path, "-n1", "-rA", PICKLEBOT_BROWSER=str(mine))
    assert (done.returncode, "2 passed" in done.stdout) == (0, True), done.stdout
    assert f"drives {mine}" in done.stdout
