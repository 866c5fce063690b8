"""CRON.md: a job, when it is due, and what it asks.

Promises a frozen `CronSpec` with exactly one of `schedule`, `every` and `at`, or a `DefinitionError` with the line of
the key that is wrong. Knows nothing of which agents exist and of the time it is now.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from picklebot.core.source import Source
from picklebot.definitions import schedules
from picklebot.definitions.frontmatter import Document, read
from picklebot.definitions.spec import BudgetSpec, Definition, Draft
from picklebot.definitions.values import Id, Seconds, Text, choice, duration, text

FILE = "CRON.md"
_WHEN = ("schedule", "every", "at")
_MISSED = "write skip, once, all, or within:30m"


class Missed(NamedTuple):
    """What becomes of instants that passed while the daemon was down. `seconds` belongs to `within`."""

    policy: Literal["skip", "once", "all", "within"]
    seconds: float = 0.0


def _missed(value: object) -> object:
    if isinstance(value, Missed):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not understood: {_MISSED}")  # noqa: TRY004  # pydantic lets a TypeError pass
    word, _, span = value.strip().lower().partition(":")
    match word.strip():
        case "skip" | "once" | "all" as policy if not span:
            return Missed(policy)
        case "within":
            return Missed("within", duration(span))
        case _:
            raise ValueError(f"{value!r} is not understood: {_MISSED}")


def _deliver(value: object) -> str:
    target = text(value)
    if target.lower() in {"none", "last"}:
        return target.lower()
    if ":" not in target:
        raise ValueError(f"{target!r} is no place to deliver to: write none, last, or a source like telegram:42:42")
    Source.parse(target)
    return target


class CronSpec(Definition):
    """A job. `agent` and `timezone` None: what the configuration says. Spans are in seconds."""

    agent: Id | None = None
    schedule: Annotated[Text, AfterValidator(schedules.schedule)] | None = None
    every: Annotated[Seconds, Field(ge=1)] | None = None
    at: Annotated[Text, AfterValidator(schedules.moment)] | None = None
    timezone: Annotated[Text, AfterValidator(schedules.zone)] | None = None
    one_off: bool = False
    missed: Annotated[Missed, BeforeValidator(_missed)] = Missed("once")
    overlap: Annotated[Literal["skip", "queue"], BeforeValidator(choice)] = "skip"
    jitter: Seconds = 0.0
    session: Annotated[Text, Field(min_length=1, max_length=256)] = "fresh"
    deliver: Annotated[str, BeforeValidator(_deliver)] = "last"
    gate: Text | None = None
    enabled: bool = True
    budget: BudgetSpec = BudgetSpec()
    prompt: str = ""

    @model_validator(mode="after")
    def _due_somehow(self) -> "CronSpec":
        if problem := _ambiguous([key for key in _WHEN if getattr(self, key) is not None]):
            raise ValueError(problem)
        return self


def parse_cron(path: Path, cron_id: str, *, document: Document | None = None) -> tuple[CronSpec, list[str]]:
    """Read a job; return it with notes for the writer of the file.

    Raises:
        DefinitionError: if it cannot be read as meant, or says nothing to do.
    """
    draft = Draft(document or read(path), path=path)
    given = [key for key in _WHEN if draft.fields.get(key) is not None]
    if problem := _ambiguous(given):
        raise draft.wrong(problem, key=given[-1] if given else "")
    if "deliver" in draft.fields and draft.fields["deliver"] is None:
        draft.fields["deliver"] = "none"
    spec = draft.build(CronSpec, given={"id": cron_id, "prompt": draft.body}, sections={"budget": BudgetSpec})
    if not spec.prompt and spec.gate is None:
        raise draft.wrong("there is no text below the frontmatter: write what the agent is to do")
    return spec, draft.notes


def _ambiguous(given: Collection[str]) -> str | None:
    if len(given) == 1:
        return None
    found = f"here are {' and '.join(given)}" if given else "here is none"
    return f"a job has exactly one of schedule (0 9 * * 1-5), every (30m) and at (2026-12-01T09:00): {found}"
