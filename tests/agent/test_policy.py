"""What an agent is not given, and what it must ask for."""

import pytest

from picklebot.agent.policy import Policy, Rule, check_consent
from picklebot.core.marks import BOTH, Marks
from picklebot.core.source import Source
from picklebot.errors import ConfigError
from picklebot.tools.base import Tool, ToolContext


async def nothing(context: ToolContext, given: object) -> str:
    return ""


def tool(name: str, *, sends: bool = False) -> Tool:
    return Tool(name=name, description="", input_schema={"type": "object"}, run=nothing, sends=sends)


TOOLS = [tool(name) for name in ("bash", "read_file", "write_file")]
PRIVATE: Marks = frozenset({"private"})
OUTSIDE: Marks = frozenset({"outside"})
STRICT: tuple[Rule, ...] = ("allow", "ask-unsandboxed", "ask", "deny")


def names(policy: Policy) -> list[str]:
    return [each.name for each in policy.permitted(TOOLS)]


def need(policy: Policy, name: str, *, marks: Marks = frozenset(), sends: bool = False) -> str:
    context = ToolContext(session_id="", agent_id="", source=Source("x"), key="k", cause_id="", marks=marks)
    found = policy.need(tool(name, sends=sends), context)
    return found.why if found else ""


def test_without_rules_everything_is_given_and_nothing_is_asked() -> None:
    assert names(Policy()) == ["bash", "read_file", "write_file"]
    assert not any(need(Policy(), each.name) for each in TOOLS)


def test_a_denied_tool_is_not_given() -> None:
    assert names(Policy(rules=({"bash": "deny"},))) == ["read_file", "write_file"]


@pytest.mark.parametrize("one", STRICT)
@pytest.mark.parametrize("other", STRICT)
def test_the_strictest_rule_holds_whoever_gave_it(one: Rule, other: Rule) -> None:
    policy = Policy(rules=({"bash": one}, {"bash": other}))
    assert ("bash" in names(policy)) == ("deny" not in {one, other})
    if "deny" not in {one, other}:
        assert bool(need(policy, "bash")) == ("ask" in {one, other})


def test_what_asks_without_a_sandbox_asks_exactly_then() -> None:
    rules: tuple[dict[str, Rule], ...] = ({"bash": "ask-unsandboxed"},)
    assert not need(Policy(rules=rules), "bash")
    assert "without a sandbox" in need(Policy(rules=rules, apart=False), "bash")
    assert "without a sandbox" in need(Policy(rules=rules, sandbox="off"), "bash")


def test_a_rule_for_a_server_is_one_for_each_of_its_tools_and_for_no_other_servers() -> None:
    policy = Policy(rules=({"mcp__web": "ask"},))
    assert need(policy, "mcp__web__fetch")
    assert not need(policy, "mcp__webcam__look")


def test_an_agent_that_is_called_asks_for_all_that_its_caller_asks_for() -> None:
    assert need(Policy(rules=({"bash": "allow"},), asking=("bash",)), "bash")


@pytest.mark.parametrize("marks", [frozenset(), PRIVATE, OUTSIDE, BOTH])
@pytest.mark.parametrize("sends", [True, False])
def test_sending_is_asked_for_once_private_and_outside_have_met(marks: Marks, sends: bool) -> None:
    assert bool(need(Policy(), "web_fetch", marks=marks, sends=sends)) == (sends and marks == BOTH)


def test_a_shell_without_a_sandbox_can_send_whatever_it_declares() -> None:
    assert need(Policy(sandbox="off"), "bash", marks=BOTH)
    assert not need(Policy(), "bash", marks=BOTH)


def test_an_agent_that_only_reads_gets_nothing_that_changes() -> None:
    assert names(Policy(rules=({"bash": "allow"},), sandbox="read-only")) == ["read_file"]


def test_an_agent_is_not_let_out_of_the_sandbox_without_consent() -> None:
    check_consent("scout", "off", allow_off=True)
    check_consent("scout", "workspace", allow_off=False)
    with pytest.raises(ConfigError, match="allow_off"):
        check_consent("scout", "off", allow_off=False)
