"""What a turn may do by itself, and whom it asks for the rest.

Promises that a rule for a tool which does not exist is an error, and that a turn begun for another one asks for all that
the other would have to ask for. Knows no tool's work.
"""

from picklebot.agent.calls import Consent
from picklebot.agent.policy import Policy
from picklebot.core.events import TurnEvent
from picklebot.core.messages import ToolCall
from picklebot.definitions.agents import AgentSpec
from picklebot.errors import ConfigError
from picklebot.tools.base import Tool, ToolContext
from picklebot.tools.toolset import Toolset
from picklebot.workers.inheritance import rights_of
from picklebot.workers.stage import Owner, Stage


def policy_of(spec: AgentSpec, event: TurnEvent, stage: Stage, toolset: Toolset) -> Policy:
    """Return what holds in a turn.

    Raises:
        ConfigError: the agent's file has a rule for a tool that does not exist.
    """
    if unknown := [name for name in spec.approvals if not toolset.knows(name)]:
        raise ConfigError(f"agent {spec.id!r}: approvals: {'; '.join(toolset.notes(unknown))}")
    rights = rights_of(event)
    return Policy(
        rules=(stage.rules, spec.approvals),
        sandbox=spec.sandbox,
        apart=stage.apart,
        asking=rights.asking if rights else (),
    )


def consent_by(policy: Policy, owner: Owner) -> Consent:
    """Return what asks the owner for a call exactly where the policy says so."""

    async def consent(tool: Tool, call: ToolCall, context: ToolContext) -> None:
        if need := policy.need(tool, context):
            await owner.ask(need, call, context)

    return consent
