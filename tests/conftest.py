"""What every test has: the guards, and a small workspace."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.browsers import PLUGIN, Browsers
from tests.guards import Guards

# The suite tries the same examples every time; `--hypothesis-profile=search` looks for new ones.
hypothesis.settings.register_profile(
    "suite", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.register_profile("search", deadline=None, max_examples=1_000, print_blob=True)
hypothesis.settings.load_profile("suite")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Browsers(config), PLUGIN)  # first: the guards clear the environment
    config.pluginmanager.register(Guards(), "picklebot-guards")


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Spell out what has no bytes: what a worker tells of a test that logs such text crosses a pipe."""
    return _spelled((yield))


def _spelled(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {key: _spelled(each) for key, each in value.items()}
        case list() | tuple():
            return type(value)(_spelled(each) for each in value)
        case _:
            return value


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with the offline model, one agent, `echo`, and no gateway: tests run side by side."""
    top = tmp_path / "workspace"
    (top / "agents" / "echo").mkdir(parents=True)
    settings = "default_agent: echo\nmodel: {provider: offline}\ngateway: {enabled: false}\n"
    (top / "config.yaml").write_text(settings, encoding="utf-8")
    (top / "agents" / "echo" / "AGENT.md").write_text(
        "---\nname: Echo\ndescription: Says back what it hears.\n---\nSay back what you hear.\n", encoding="utf-8"
    )
    return top
