"""Everything a workspace defines, as it stands now.

Promises that the views are whole at any moment: a scan replaces them and never alters them, so it may run in a
thread while others read. Opens only files that changed. Knows no bus: whoever scans tells the others.
"""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from picklebot.definitions import agents, crons, skills
from picklebot.definitions.agents import AgentSpec
from picklebot.definitions.crons import CronSpec
from picklebot.definitions.kinds import Change as Change
from picklebot.definitions.kinds import Kind
from picklebot.definitions.kinds import Note as Note
from picklebot.definitions.kinds import Problem as Problem
from picklebot.definitions.seals import Seals
from picklebot.definitions.shelf import Shelf
from picklebot.definitions.skills import SkillSpec
from picklebot.definitions.values import nearest
from picklebot.errors import NotFound

AGENTS = Kind(
    name="agent",
    folder="agents",
    file=agents.FILE,
    parse=agents.parse_agent,
    flat=True,
    companion=agents.soul_path,
)
CRONS = Kind(name="cron", folder="crons", file=crons.FILE, parse=crons.parse_cron)
SKILLS = Kind(name="skill", folder="skills", file=skills.FILE, parse=skills.parse_skill)


_Look: TypeAlias = tuple[Mapping[str, SkillSpec], Mapping[str, str]]  # the skills that were looked at, how some differ


class Library:
    """The agents, jobs and skills of one workspace. Empty until the first `scan`.

    With `seals`, a skill counts only while its files are those that were let in; with `learn`, a scan lets in new ones.
    """

    def __init__(self, workspace: Path, *, seals: Seals | None = None, learn: bool = False) -> None:
        self._agents = Shelf(workspace, AGENTS)
        self._crons = Shelf(workspace, CRONS)
        self._skills = Shelf(workspace, SKILLS)
        self._scanning = threading.Lock()
        self._seals, self._learn = seals, learn
        self._looked_at: _Look = ({}, {})
        self._used: tuple[Mapping[str, SkillSpec], _Look, Mapping[str, SkillSpec]] | None = None

    def scan(self) -> list[Change]:
        """Look at the workspace again; return what is different. It reads files, so call it off the loop."""
        with self._scanning:
            changes = [*self._agents.scan(), *self._crons.scan(), *self._skills.scan()]
            if self._seals is not None:
                specs = dict(self._skills.specs)
                self._looked_at = (specs, self._seals.look(specs, learn=self._learn))
            return changes

    def withheld(self, skill: SkillSpec) -> str:
        """Return why a skill is not to be used as it stands; "" if it is."""
        if self._seals is None:
            return ""
        specs, differing = self._looked_at
        if specs.get(skill.id) is not skill:
            return "its files are being looked at"
        return differing.get(skill.id, "")

    @property
    def used_skills(self) -> Mapping[str, SkillSpec]:
        """The skills that are used as they stand, by id; the same mapping until the workspace is looked at again."""
        skills, look = self.skills, self._looked_at
        if self._used is None or self._used[0] is not skills or self._used[1] is not look:
            used = {name: spec for name, spec in skills.items() if not self.withheld(spec)}
            self._used = (skills, look, used)
        return self._used[2]

    def look_again(self, skill: SkillSpec) -> str:
        """Return the same, of its files as they are now. It reads them, so call it off the loop."""
        if self._seals is None:
            return ""
        with self._scanning:
            return self._seals.look({skill.id: skill}, learn=False).get(skill.id, "")

    def approve(self, path: str, content: bytes | None) -> None:
        """Let in what the owner has approved as a file of a skill; None: it is removed. Call it off the loop."""
        if self._seals is not None:
            with self._scanning:
                self._seals.approve(path, content)

    @property
    def agents(self) -> Mapping[str, AgentSpec]:
        """The agents in force, by id."""
        return self._agents.specs

    @property
    def crons(self) -> Mapping[str, CronSpec]:
        """The jobs in force, by id, the disabled ones too."""
        return self._crons.specs

    @property
    def skills(self) -> Mapping[str, SkillSpec]:
        """The skills in force, by id."""
        return self._skills.specs

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong, with the file and the line."""
        return (*self._agents.problems, *self._crons.problems, *self._skills.problems)

    @property
    def notes(self) -> tuple[Note, ...]:
        """What is not wrong, but may not be meant."""
        return (*self._agents.notes, *self._crons.notes, *self._skills.notes)

    def get_agent(self, agent_id: str) -> AgentSpec:
        """Return the agent in force under that id.

        Raises:
            NotFound: if there is none; the message says why, or offers the nearest name.
        """
        if spec := self.agents.get(agent_id):
            return spec
        for problem in self.problems:
            if (problem.kind, problem.id) == ("agent", agent_id):
                place = f"{problem.path}:{problem.line}" if problem.line else str(problem.path)
                raise NotFound(f"the agent {agent_id!r} cannot be read: {place}: {problem.message}")
        near = nearest(agent_id, self.agents)
        if near is not None:
            hint = f"did you mean {near!r}?"
        else:
            hint = f"there is {', '.join(sorted(self.agents)[:8]) or 'none yet'}"
        raise NotFound(f"no agent is called {agent_id[:64]!r}: {hint}")
