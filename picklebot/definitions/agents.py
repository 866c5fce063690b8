"""AGENT.md: who an agent is, and what it may do.

Promises a frozen `AgentSpec` or a `DefinitionError` with the line of the key that is wrong; Claude Code's agent files
are read as they are. Knows nothing of which models, tools and other agents exist.
"""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from picklebot.definitions import tool_names
from picklebot.definitions.frontmatter import MAX_FRONTMATTER, Document, read
from picklebot.definitions.reading import read_text
from picklebot.definitions.spec import BudgetSpec, Definition, Draft, Section
from picklebot.definitions.values import Id, Text, Whole, Words, choice, mapping, text, words

FILE = "AGENT.md"
SOUL = "SOUL.md"
_EVERY = frozenset({"*", "all"})  # other programs' word for "every tool"

Effort = Annotated[Literal["minimal", "low", "medium", "high", "xhigh", "max"], BeforeValidator(choice)]
Queue = Annotated[Literal["followup", "collect", "steer", "interrupt"], BeforeValidator(choice)]
Rule = Annotated[Literal["allow", "ask", "ask-unsandboxed", "deny"], BeforeValidator(choice)]
Sandbox = Annotated[Literal["workspace", "read-only", "off"], BeforeValidator(choice)]


def _skills(value: object) -> object:
    if isinstance(value, bool):
        return value
    match value.strip().lower() if isinstance(value, str) else value:
        case "true" | "yes" | "on" | "all" | "*":
            return True
        case "false" | "no" | "off" | "none":
            return False
        case _:
            return words(value)


def _rules(value: object) -> object:
    """Read rules by tool; a tool's name may be another program's."""
    given = mapping(value)
    if given is None:
        raise ValueError(f"{value!r} names no tools: write it like {{bash: ask}}")
    found: dict[str, object] = {}
    for name, rule in given.items():
        ours, _ = tool_names.canonical([str(name)])
        found |= dict.fromkeys(ours, rule)
    return found


def _command(value: object) -> object:
    if isinstance(value, str):
        return tuple(shlex.split(value))
    if isinstance(value, list | tuple):
        parts: list[object] = list(value)  # pyright: ignore[reportUnknownArgumentType]  # narrowed from object
        return tuple(text(part) for part in parts)
    raise ValueError(f"{value!r} is no command: write it like [python, agent.py]")


class ModelChoice(Section):
    """Which model answers. None: what the configuration says. `haiku` and the like stay for the provider to resolve."""

    name: Text | None = None
    provider: Text | None = None
    max_tokens: Whole | None = None
    effort: Effort | None = None
    fallback: Words = ()

    @field_validator("name", mode="after")
    @classmethod
    def _inherited(cls, name: str | None) -> str | None:
        return None if name is None or name.lower() in {"", "inherit"} else name


class RunnerSpec(Section):
    """An external program that is the agent, over file IPC."""

    command: Annotated[tuple[str, ...], BeforeValidator(_command), Field(min_length=1)]
    read: Annotated[tuple[str, ...], BeforeValidator(_command)] = ()
    """Further files and folders that it may read."""


class AgentSpec(Definition):
    """An agent. `tools` None: every tool that policy allows; `dispatch` None: every other agent."""

    description: Text = ""
    prompt: str = ""
    soul: str = ""
    model: ModelChoice = ModelChoice()
    tools: Words | None = None
    disallowed_tools: Words = ()
    skills: Annotated[bool | tuple[str, ...], BeforeValidator(_skills)] = True
    max_concurrency: Whole = 4
    queue: Queue = "followup"
    budget: BudgetSpec = BudgetSpec()
    dispatch: tuple[Id, ...] | None = None
    sandbox: Sandbox = "workspace"
    approvals: Annotated[Mapping[str, Rule], BeforeValidator(_rules)] = Field(default_factory=dict[str, Rule])
    runner: RunnerSpec | None = None

    @field_validator("model", mode="before")
    @classmethod
    def _by_name(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str | int | float) else value

    @field_validator("dispatch", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return None if value is None else words(value)


def parse_agent(path: Path, agent_id: str, *, document: Document | None = None) -> tuple[AgentSpec, list[str]]:
    """Read an agent and its soul; return it with notes for the writer of the file.

    Raises:
        DefinitionError: if either file cannot be read as meant.
    """
    draft = Draft(document or read(path), path=path)
    _adopt(draft)
    spec = draft.build(
        AgentSpec,
        given={"id": agent_id, "prompt": draft.body, "soul": _soul(soul_path(path, agent_id))},
        sections={"model": ModelChoice, "budget": BudgetSpec, "runner": RunnerSpec},
    )
    if not spec.prompt and spec.runner is None:
        draft.notes.append("there is no text below the frontmatter: the agent has no prompt of its own")
    return _with_our_tools(spec, draft), draft.notes


def soul_path(path: Path, agent_id: str) -> Path:
    """Return where the soul of the agent defined at `path` would be."""
    return path.parent / SOUL if path.name == FILE else path.parent / agent_id / SOUL


def _adopt(draft: Draft) -> None:
    """Put the keys of other programs' agent files where ours have them."""
    if isinstance(model := draft.fields.get("model"), str):
        draft.fields["model"] = {"name": model}
    for key in ("provider", "max_tokens", "effort", "fallback"):
        draft.move(key, "model", key)
    draft.move("fallback_model", "model", "fallback")
    draft.move("max_turns", "budget", "turn_steps")
    allowed = draft.fields.pop("allow_skills", None)
    if allowed is not None:
        draft.fields.setdefault("skills", allowed)
    if "tools" in draft.fields and draft.fields["tools"] is None:
        draft.note("'tools' is empty, so every tool is allowed: write [] for none", key="tools")


def _with_our_tools(spec: AgentSpec, draft: Draft) -> AgentSpec:
    tools: tuple[str, ...] | None = None
    if spec.tools is not None and not _EVERY.intersection(spec.tools):
        tools, patterns = tool_names.canonical(spec.tools)
        for pattern in patterns:
            draft.note(f"the pattern in {pattern!r} is not enforced: the whole tool is allowed", key="tools")
    disallowed, patterns = tool_names.canonical(spec.disallowed_tools)
    for pattern in patterns:
        draft.note(f"the pattern in {pattern!r} is not read: the whole tool is taken away", key="disallowed_tools")
    if _EVERY.intersection(disallowed):
        tools, disallowed = (), ()
    return spec.model_copy(update={"tools": tools, "disallowed_tools": disallowed})


def _soul(path: Path) -> str:
    # A link that leads nowhere is there: better an error than an agent without its soul.
    if not path.exists() and not path.is_symlink():
        return ""
    return read_text(path, limit=MAX_FRONTMATTER).strip()
