"""The slash command /skills: which skills there are, and what one of them is. Knows no platform."""

from collections.abc import Mapping
from typing import Protocol

from picklebot.core.source import Source
from picklebot.core.text import shorten
from picklebot.definitions.skills import SkillSpec
from picklebot.definitions.values import nearest
from picklebot.errors import NotFound
from picklebot.workers.commands import Command

_LISTED = 100


class Machine(Protocol):
    """Says what keeps a skill from running here."""

    def missing(self, skill_id: str) -> list[str]:
        """Return it, each in a few words."""
        ...

    def withheld(self, skill_id: str) -> str:
        """Return why it is not used although it could run; "" if it is."""
        ...


class Definitions(Protocol):
    """The skills in their version of this moment."""

    @property
    def skills(self) -> Mapping[str, SkillSpec]:
        """Every skill, by id."""
        ...


class SkillCommands:
    """Answers /skills."""

    def __init__(self, *, skills: Machine, definitions: Definitions) -> None:
        self._machine = skills
        self._definitions = definitions

    def table(self) -> Mapping[str, Command]:
        """Return the command by its name."""
        return {"skills": Command("skills", "[NAME]", "Which skills there are, and what one is for.", self._skills)}

    async def _skills(self, source: Source, argument: str) -> str:
        skills = self._definitions.skills
        if argument:
            return self._one(skills, argument.removeprefix("$"))
        lines = [f"- **{name}**{self._mark(name)}: {shorten(skills[name].description, 100)}" for name in sorted(skills)]
        if not lines:
            return "There are no skills."
        more = [f"- and {len(lines) - _LISTED} more"] if len(lines) > _LISTED else []
        return "\n".join([*lines[:_LISTED], *more, "", "Begin a message with $name to have one of them followed."])

    def _one(self, skills: Mapping[str, SkillSpec], name: str) -> str:
        spec = skills.get(name)
        if spec is None:
            near = nearest(name, skills)
            raise NotFound(f"there is no skill {name[:64]!r}" + (f"; did you mean {near!r}?" if near else ""))
        lines = [f"**{spec.id}**: {spec.description}"]
        if lacking := self._machine.missing(name):
            lines.append(f"It cannot run here: it needs {', '.join(lacking)}.")
        if differs := self._machine.withheld(name):
            lines.append(f"It is not used: {differs}. `picklebot skills trust {name}` lets it in as it is.")
        if spec.disable_model_invocation:
            lines.append("Agents do not choose it by themselves.")
        if spec.user_invocable:
            lines.append(f"Begin a message with ${spec.id} to have it followed.")
        return "\n".join(lines)

    def _mark(self, name: str) -> str:
        if self._machine.missing(name):
            return " (cannot run here)"
        return " (not what was let in)" if self._machine.withheld(name) else ""
