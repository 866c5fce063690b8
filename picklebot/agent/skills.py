"""Skills, as a model and a person meet them: a line each, then the whole text of one. Pure.

Promises a catalogue that does not change while the skills do not, so that the endpoint's cache holds, and texts that
fit a conversation. Knows no folder.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from picklebot.core.text import shorten
from picklebot.definitions.agents import AgentSpec
from picklebot.definitions.skills import SkillSpec

DESCRIPTION = 500  #: characters of one skill in the catalogue
CATALOGUE = 16_000  #: characters of all of them
BODY = 24_000  #: characters of a skill's text that a model is shown at once
FILES = 100  #: files of a skill that are named
_INVOCATION = re.compile(r"\$([A-Za-z0-9][A-Za-z0-9_-]{0,63})(?=\s|$)")


def allowed(agent: AgentSpec, skills: Mapping[str, SkillSpec]) -> list[SkillSpec]:
    """Return the skills that an agent may use, sorted."""
    if isinstance(agent.skills, bool):
        return [skills[name] for name in sorted(skills)] if agent.skills else []
    return [skills[name] for name in sorted(set(agent.skills)) if name in skills]


def catalogue(skills: Iterable[SkillSpec]) -> str:
    """Return a line for each skill that a model may choose; "" if there is none."""
    lines = [f"- {s.id}: {shorten(s.description, DESCRIPTION)}" for s in skills if not s.disable_model_invocation]
    size = 0
    for count, line in enumerate(lines):
        size += len(line) + 1
        if size > CATALOGUE:
            more = f"- and {len(lines) - count} more, which the user can list with /skills"
            return "\n".join([*lines[:count], more])
    return "\n".join(lines)


def section(listed: str) -> str:
    """Return the part of a system prompt that names the skills."""
    return (
        "Instructions for particular kinds of work. Before you begin such work, call use_skill with the skill's name and "
        f"follow what it says.\n\n{listed}"
    )


def invocation(content: str) -> str | None:
    """Return the name that a message begins with, as `$name`, if it begins so."""
    match = _INVOCATION.match(content.lstrip())
    return match[1] if match else None


def text_of(spec: SkillSpec, folder: str, files: Sequence[str]) -> str:
    """Return a skill as a model reads it. `folder` fills `{baseDir}`; `files` are paths that read_file takes."""
    body = spec.body.replace("{baseDir}", folder)
    if len(body) > BODY:
        rest = f"read_file skills/{spec.id}/SKILL.md has the rest"
        body = f"{body[:BODY]}\n[{len(body) - BODY:,} characters cut here; {rest}]"
    parts = [f"# Skill {spec.id}", body]
    if files:
        named = "\n".join(f"- {path}" for path in files[:FILES])
        more = f"\n- and {len(files) - FILES} more" if len(files) > FILES else ""
        parts.append(f"Files of this skill, for read_file and for the shell:\n{named}{more}")
    return "\n\n".join(parts)
