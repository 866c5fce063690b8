"""A file that steers agents, judged before it is there.

Promises the definition that a text would be, or a `DefinitionError` with the line, as the library would find it. Knows
nothing of who wrote the text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from picklebot.definitions import agents, crons, skills
from picklebot.definitions.agents import AgentSpec, parse_agent
from picklebot.definitions.crons import CronSpec, parse_cron
from picklebot.definitions.frontmatter import parse
from picklebot.definitions.kinds import KindName
from picklebot.definitions.skills import SkillSpec, parse_skill
from picklebot.definitions.values import is_id
from picklebot.errors import DefinitionError

MAX_FILE = 256 * 1024  #: bytes
_FOLDERS: Mapping[str, tuple[KindName, str, bool]] = {
    "agents": ("agent", agents.FILE, True),
    "crons": ("cron", crons.FILE, False),
    "skills": ("skill", skills.FILE, False),
}  # by folder: the kind, its file, and whether `<folder>/<id>.md` is one too


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a file is. `spec` is the definition that it would be; None for a file that only belongs to one."""

    kind: KindName | None
    id: str
    spec: AgentSpec | CronSpec | SkillSpec | None = None
    notes: Sequence[str] = ()
    defines: bool = False
    """It is the file without which there is no such definition."""


def check_file(parts: Sequence[str], text: str) -> Checked:
    """Judge what the file at `parts` below the workspace would be. An empty definition is no error: it asks to remove it.

    Raises:
        DefinitionError: it would not be read as meant, or not at all.
    """
    path = Path(*parts)
    if (size := len(text.encode())) > MAX_FILE:
        raise DefinitionError(f"the file has {size:,} bytes: at most {MAX_FILE:,} are proposed", path=path)
    if parts[0] not in _FOLDERS:
        return Checked(kind=None, id=parts[0])
    kind, file, flat = _FOLDERS[parts[0]]
    loose = len(parts) == 2
    if loose and not (flat and path.suffix == ".md"):
        raise DefinitionError(f"nothing reads this: write {parts[0]}/{path.stem}/{file}", path=path)
    name = path.stem if loose else parts[1]
    if not is_id(name):
        raise DefinitionError(f"{name!r} is no id: letters, digits, '-' and '_', 64 at most", path=path)
    if not loose and path.name != file and path.name.casefold() == file.casefold():
        raise DefinitionError(f"nothing reads this: the file is called {file}", path=path)
    if not loose and list(parts[2:]) != [file]:
        return Checked(kind=kind, id=name)
    if not text.strip():
        return Checked(kind=kind, id=name, defines=True)
    spec, notes = _parse(kind, path, name, text)
    return Checked(kind=kind, id=name, spec=spec, notes=tuple(notes), defines=True)


def _parse(
    kind: KindName, path: Path, name: str, text: str
) -> tuple[AgentSpec, list[str]] | tuple[CronSpec, list[str]] | tuple[SkillSpec, list[str]]:
    document = parse(text, path=path)
    match kind:
        case "agent":
            return parse_agent(path, name, document=document)
        case "cron":
            return parse_cron(path, name, document=document)
        case "skill":
            return parse_skill(path, name, document=document)
