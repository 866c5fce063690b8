"""Leaves out the tests that drive a browser where the machine has none, and says so where nobody overlooks it.

A test drives one if it asks for the fixture `browser_path`, which `browser_of` makes. Promises that on CI such a test fails instead, and that the
workers of a run in parallel use the browser that the run was started with. Knows nothing of picklebot.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from checks.browser import NoBrowser, find

FIXTURE = "browser_path"
PLUGIN = "picklebot-browsers"
_GIVEN, _LEFT = "picklebot_browser", "picklebot_left_out"


class Browsers:
    """A pytest plugin: register one instance, once, before the environment is cleared."""

    def __init__(self, config: pytest.Config) -> None:
        self.path: Path | None = None
        self.missing = ""
        self._left_out = 0
        self._strict = bool(os.environ.get("CI"))
        given: dict[str, Any] = getattr(config, "workerinput", {})  # of a worker of pytest-xdist
        env = {**os.environ, **({"PICKLEBOT_BROWSER": given[_GIVEN]} if given.get(_GIVEN) else {})}
        try:
            self.path = find(env)
        except NoBrowser as exc:
            self.missing = str(exc)

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what cannot run."""
        if self.path is not None or self._strict:
            return
        left = [item for item in items if FIXTURE in getattr(item, "fixturenames", ())]
        if left:
            items[:] = [item for item in items if item not in left]
            config.hook.pytest_deselected(items=left)
            self._left_out = len(left)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tell the run that started this worker, if one did."""
        if (output := getattr(session.config, "workeroutput", None)) is not None:
            output[_LEFT] = self._left_out

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give a worker the browser of this run."""
        node.workerinput[_GIVEN] = str(self.path or "")

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Hear what a worker has left out: each has collected the same tests."""
        self._left_out = max(self._left_out, getattr(node, "workeroutput", {}).get(_LEFT, 0))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say it, last of all."""
        if self._left_out:
            words = f"NOT RUN: {self._left_out} tests of the web page, which need a real browser. {self.missing}"
            terminalreporter.write_line(words, red=True, bold=True)


def browser_of(config: pytest.Config) -> Path:
    """Return the browser's program, for a fixture called `browser_path`; without one the test fails."""
    plugin = config.pluginmanager.get_plugin(PLUGIN)
    assert isinstance(plugin, Browsers)
    if plugin.path is None:
        pytest.fail(plugin.missing, pytrace=False)
    return plugin.path
