"""SKILL.md, as agentskills.io describes it and as people write it.

Promises a frozen `SkillSpec` for every skill that has a description and frontmatter a parser can read; whatever else
is odd about it becomes a note. Knows nothing of which skills are trusted or used.
"""

import re
from pathlib import Path
from typing import Any

from picklebot.definitions.frontmatter import Document, read
from picklebot.definitions.spec import Definition, Draft
from picklebot.definitions.values import Text, Words, text, words

FILE = "SKILL.md"
_NAME = re.compile(r"(?=.{1,64}$)[a-z0-9]+(-[a-z0-9]+)*")
_MAX_DESCRIPTION = 1024


class SkillSpec(Definition):
    """A skill. `path` is its folder; `metadata` and `allowed_tools` are as written, patterns and all.

    With `disable_model_invocation` only a person invokes it; without `user_invocable` only a model.
    """

    description: Text
    body: str = ""
    license: Text | None = None
    compatibility: Text | None = None
    metadata: Any = None
    allowed_tools: Words = ()
    disable_model_invocation: bool = False
    user_invocable: bool = True
    notes: tuple[str, ...] = ()


def parse_skill(path: Path, skill_id: str, *, document: Document | None = None) -> tuple[SkillSpec, list[str]]:
    """Read a skill; return it with notes for the writer of the file.

    Raises:
        DefinitionError: if its frontmatter is beyond reading or has no description.
    """
    draft = Draft(document or read(path), path=path)
    for key in ("name", "license", "compatibility"):
        _soften(draft, key)
    if not isinstance(described := draft.fields.get("description"), str | int | float) or not text(described):
        raise draft.wrong("a skill needs a description: one line on what it does and when to use it", key="description")
    if len(text(described)) > _MAX_DESCRIPTION:
        draft.note(f"the description is longer than {_MAX_DESCRIPTION} characters", key="description")
    try:
        words(draft.fields.get("allowed_tools") or ())
    except ValueError as exc:
        draft.note(f"allowed_tools was not read: {exc}", key="allowed_tools")
        del draft.fields["allowed_tools"]
    for key in ("disable_model_invocation", "user_invocable"):
        _soften_flag(draft, key)
    spec = draft.build(SkillSpec, given={"id": skill_id, "body": draft.body, "notes": ()}, sections={})
    _check_name(spec, draft)
    return spec.model_copy(update={"path": path.parent, "notes": tuple(draft.notes)}), draft.notes


def _soften(draft: Draft, key: str) -> None:
    value = draft.fields.get(key)
    if value is not None and not isinstance(value, str | int | float):
        draft.note(f"{key} is not a single line of text and was not read", key=key)
        del draft.fields[key]


def _soften_flag(draft: Draft, key: str) -> None:
    value = draft.fields.get(key)
    if value is not None and str(value).strip().lower() not in {"true", "false", "yes", "no", "on", "off"}:
        draft.note(f"{key} is neither true nor false and was not read", key=key)
        del draft.fields[key]


def _check_name(spec: SkillSpec, draft: Draft) -> None:
    if spec.name != spec.id:
        draft.note(f"the name {spec.name!r} is not that of the folder: the skill is called {spec.id!r}", key="name")
    elif not _NAME.fullmatch(spec.name):
        draft.note(f"the name {spec.name!r} should be lowercase letters, digits and single '-'", key="name")
