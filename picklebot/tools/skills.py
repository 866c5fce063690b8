"""use_skill, as a model sees it. Knows only the narrow seam below."""

from typing import Annotated, Protocol

from pydantic import Field

from picklebot.errors import NotFound, ToolError
from picklebot.tools.base import Effect, Tool, ToolContext
from picklebot.tools.function import tool

NAME = "use_skill"


class SkillTexts(Protocol):
    """Finds the text of a skill that an agent may use."""

    async def open(self, agent_id: str, name: str) -> str:
        """Return it.

        Raises:
            NotFound: the agent has no such skill; the message offers the nearest.
        """
        ...


def create_skill_tools(skills: SkillTexts) -> list[Tool]:
    """Return use_skill."""

    @tool(name=NAME, effect=Effect.PURE)
    async def use_skill(
        name: Annotated[str, Field(description="A name from the list of skills.", min_length=1)], context: ToolContext
    ) -> str:
        """Read the instructions of a skill, with the paths of its files. Do it before work that the skill is for."""
        try:
            return await skills.open(context.agent_id, name)
        except NotFound as exc:
            raise ToolError(str(exc)) from exc

    return [use_skill]
