"""The skills in force: which of them an agent is offered, and the text of one.

Promises that a skill which cannot run here is not offered, and that what is named is what the agent may use. Asks the
machine again only when the definitions were looked at again. Knows no model.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from picklebot.agent import skills as words
from picklebot.definitions.agents import AgentSpec
from picklebot.definitions.skill_needs import Machine, missing
from picklebot.definitions.skills import SkillSpec
from picklebot.definitions.values import nearest
from picklebot.errors import NotFound

_LOOKED_AT = 1_000  # entries of a skill's folder


class Definitions(Protocol):
    """The skills and agents in their version of this moment."""

    @property
    def skills(self) -> Mapping[str, SkillSpec]:
        """Every skill, by id; another mapping whenever they were looked at again."""
        ...

    @property
    def used_skills(self) -> Mapping[str, SkillSpec]:
        """Those that are used as they stand; another mapping whenever they were looked at again."""
        ...

    def get_agent(self, agent_id: str) -> AgentSpec:
        """Return an agent.

        Raises:
            NotFound: there is none.
        """
        ...

    def withheld(self, skill: SkillSpec) -> str:
        """Return why a skill is not to be used as it stands; "" if it is."""
        ...

    def look_again(self, skill: SkillSpec) -> str:
        """Return the same, of its files as they are now; reads them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offer:
    """What an agent may use."""

    agent: AgentSpec
    skills: Sequence[SkillSpec]
    catalogue: str


class Skills:
    """What there is to know of skills, for prompts, the tool and the commands."""

    def __init__(self, definitions: Definitions, *, root: Path, machine: Machine) -> None:
        self._definitions = definitions
        self._root = root
        self._machine = machine
        self._seen: Mapping[str, SkillSpec] = {}
        self._missing: dict[str, list[str]] = {}
        self._offered_of: Mapping[str, SkillSpec] = {}
        self._offers: dict[str, _Offer] = {}  # by agent; every turn asks for it

    def missing(self, skill_id: str) -> list[str]:
        """Return what keeps a skill from running here."""
        now = self._definitions.skills
        if now is not self._seen:
            self._missing = {name: missing(spec, self._machine) for name, spec in now.items()}
            self._seen = now
        return self._missing.get(skill_id, [])

    def withheld(self, skill_id: str) -> str:
        """Return why a skill is not used although it could run; "" if it is."""
        spec = self._definitions.skills.get(skill_id)
        return self._definitions.withheld(spec) if spec is not None else ""

    def catalogue(self, agent: AgentSpec) -> str:
        """Return a line for each skill that the agent's model may choose; "" if there is none."""
        return self._offer(agent).catalogue

    def has_any(self, agent: AgentSpec) -> bool:
        """Return whether the agent may use any skill."""
        return bool(self._usable(agent))

    async def open(self, agent_id: str, name: str) -> str:
        """Return the text of a skill, for a model that chose it.

        Raises:
            NotFound: the agent has no such skill; the message offers the nearest.
        """
        usable = {spec.id: spec for spec in self._usable(self._definitions.get_agent(agent_id))}
        known = {name: spec for name, spec in usable.items() if not spec.disable_model_invocation}
        if name in known:
            return await self._text(known[name])
        if name in self._definitions.skills and (lacking := self.missing(name)):
            raise NotFound(f"the skill {name!r} cannot run here: it needs {', '.join(lacking)}")
        if words := self.withheld(name):
            raise NotFound(_withheld(name, words))
        near = nearest(name, known)
        hint = f"did you mean {near!r}?" if near else f"there are: {', '.join(sorted(known)[:20]) or 'none'}"
        raise NotFound(f"there is no skill {name[:64]!r}; {hint}")

    async def invoked(self, agent: AgentSpec, content: str) -> str:
        """Return the text of the skill that a person's message begins with, as `$name`; "" if it begins otherwise."""
        name = words.invocation(content)
        spec = next((each for each in self._usable(agent) if each.id == name and each.user_invocable), None)
        if spec is None:
            return ""
        try:
            return await self._text(spec)
        except NotFound as exc:
            return f"[{exc}]"

    def _usable(self, agent: AgentSpec) -> Sequence[SkillSpec]:
        return self._offer(agent).skills

    def _offer(self, agent: AgentSpec) -> "_Offer":
        used = self._definitions.used_skills
        if used is not self._offered_of:
            self._offers.clear()
            self._offered_of = used
        offer = self._offers.get(agent.id)
        if offer is None or offer.agent is not agent:
            skills = [spec for spec in words.allowed(agent, used) if not self.missing(spec.id)]
            offer = self._offers[agent.id] = _Offer(agent=agent, skills=skills, catalogue=words.catalogue(skills))
        return offer

    async def _text(self, spec: SkillSpec) -> str:
        if differs := await asyncio.to_thread(self._definitions.look_again, spec):
            raise NotFound(_withheld(spec.id, differs))
        files = await asyncio.to_thread(_files, spec.path, self._root)
        return words.text_of(spec, str(spec.path), files)


def _withheld(name: str, differs: str) -> str:
    return f"the skill {name!r} is not used: {differs}; `picklebot skills trust {name}` lets it in as it is"


def _files(folder: Path, root: Path) -> list[str]:
    """Return the files of a skill beside its SKILL.md, as paths below the workspace. Follows no link."""
    found: list[str] = []
    looked = 0
    for top, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        looked += len(folders) + len(names)
        paths = (Path(top) / name for name in sorted(names) if not name.startswith("."))
        found += [
            str(path.relative_to(root)) for path in paths if path != folder / "SKILL.md" and not path.is_symlink()
        ]
        if looked > _LOOKED_AT:
            break
    return found
