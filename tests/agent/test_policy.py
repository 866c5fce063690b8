"""What an agent is not given."""

import pytest

from picklebot.agent.policy import check_consent, permitted
from picklebot.errors import ConfigError
from picklebot.tools.base import Tool, ToolContext


async def nothing(context: ToolContext, given: object) -> str:
    return ""


TOOLS = [
    Tool(name=name, description="", input_schema={"type": "object"}, run=nothing)
    for name in ("bash", "read_file", "write_file")
]


def names(rules: dict[str, str], sandbox: str = "workspace") -> list[str]:
    return [tool.name for tool in permitted(TOOLS, rules, sandbox)]  # type: ignore[arg-type]


def test_without_rules_everything_is_given() -> None:
    assert names({}) == ["bash", "read_file", "write_file"]


@pytest.mark.parametrize("rule", ["deny", "ask"])
def test_a_denied_tool_is_not_given_and_neither_is_one_that_nobody_can_be_asked_about(rule: str) -> None:
    assert names({"bash": rule}) == ["read_file", "write_file"]


@pytest.mark.parametrize("rule", ["allow", "ask-unsandboxed"])
def test_an_allowed_tool_is_given(rule: str) -> None:
    assert "bash" in names({"bash": rule})


def test_an_agent_that_only_reads_gets_nothing_that_changes() -> None:
    assert names({"bash": "allow"}, "read-only") == ["read_file"]


def test_an_agent_is_not_let_out_of_the_sandbox_without_consent() -> None:
    check_consent("scout", "off", allow_off=True)
    check_consent("scout", "workspace", allow_off=False)
    with pytest.raises(ConfigError, match="allow_off"):
        check_consent("scout", "off", allow_off=False)
