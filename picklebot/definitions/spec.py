"""From a document's fields to a frozen spec.

Promises that a wrong value becomes a `DefinitionError` on the line of its key, and that a key nobody reads becomes a
note with the nearest known name. Knows the shape of specs, not what any one of them says.
"""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from picklebot.core.text import shorten
from picklebot.definitions.frontmatter import Document
from picklebot.definitions.values import Amount, Id, Seconds, Text, Whole, mapping, nearest
from picklebot.definitions.yaml_subset import snake
from picklebot.errors import DefinitionError

_MAX_MESSAGE = 400  # a value in a message may be as long as a file
_MAX_HINTS = 20  # the nearest name is not sought for every line of some other program's file


class Section(BaseModel):
    """A group of keys. Its keys may be written in any case; a key without a value is a key not given."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _given(cls, value: object) -> object:
        given = mapping(value)
        return value if given is None else {snake(key): inner for key, inner in given.items() if inner is not None}


class Definition(Section):
    """What every definition has. Its name is its id where it gives none."""

    id: Id
    name: Text = ""
    path: Path = Path()

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: object) -> object:
        given = mapping(value)
        return value if given is None else {**given, "name": given.get("name") or given.get("id")}


class BudgetSpec(Section):
    """Ceilings of this definition's own, below those of the daemon. None: only the daemon's apply."""

    turn_usd: Amount | None = None
    day_usd: Amount | None = None
    turn_steps: Whole | None = None
    turn_seconds: Seconds | None = None


S = TypeVar("S", bound=Definition)


class Draft:
    """The fields of one document, on their way into a spec."""

    def __init__(self, document: Document, *, path: Path) -> None:
        self.fields = dict(document.fields)
        self.body = document.body.strip()
        self.notes: list[str] = []
        self.path = path
        self._lines = dict(document.lines)
        if not document.fields and document.body.lstrip().startswith("---\n"):
            self.notes.append("line 1: the frontmatter is read as text, because its '---' is not on the first line")

    def line(self, key: str) -> int:
        """Return the line of a key, or of the key around it, or 1."""
        while key not in self._lines and "." in key:
            key = key.rpartition(".")[0]
        return self._lines.get(key, 1)

    def wrong(self, message: str, *, key: str = "") -> DefinitionError:
        """Return an error that points at `key`."""
        return DefinitionError(shorten(message, _MAX_MESSAGE), path=self.path, line=self.line(key))

    def note(self, message: str, *, key: str) -> None:
        """Remember something that the writer of the file may want to know."""
        self.notes.append(f"line {self.line(key)}: {shorten(message, _MAX_MESSAGE)}")

    def move(self, key: str, section: str, inner: str) -> None:
        """Read a top key of another program's files as a key of a section of ours, unless ours is there too."""
        value = self.fields.pop(key, None)
        held = self.fields.get(section)
        group = {} if held is None else mapping(held)
        if value is None or group is None or inner in {snake(name) for name in group}:
            return
        self.fields[section] = {**group, inner: value}
        self._lines[f"{section}.{inner}"] = self.line(key)

    def build(self, kind: type[S], *, given: Mapping[str, object], sections: Mapping[str, type[Section]]) -> S:
        """Validate the fields, with `given` beside them, into a spec; what is left over is noted.

        Raises:
            DefinitionError: on the line of the first value that is wrong.
        """
        known = set(kind.model_fields) - {"id", "path", *given}
        self._note_unknown(known, "")
        for name, section in sections.items():
            self._note_unknown(set(section.model_fields), f"{name}.")
        fields = {key: value for key, value in self.fields.items() if key in known}
        try:
            return kind.model_validate({**fields, **given, "path": self.path})
        except ValidationError as exc:
            raise self._refused(exc, sections) from exc

    def _note_unknown(self, known: set[str], prefix: str) -> None:
        inside = self.fields if not prefix else mapping(self.fields.get(prefix[:-1])) or {}
        unused: list[str] = []
        for key in inside:
            name = snake(key)
            if name in known:
                continue
            if len(unused) < _MAX_HINTS and (near := nearest(name, known, cutoff=0.75)):
                self.note(f"{prefix}{name} is no key here and was not read: did you mean {near!r}?", key=prefix + name)
            else:
                unused.append(prefix + name)
        if unused:
            self.note(f"not read here: {', '.join(unused)}", key=unused[0])

    def _refused(self, exc: ValidationError, sections: Collection[str]) -> DefinitionError:
        error = exc.errors()[0]
        names = [part for part in error["loc"] if isinstance(part, str)]
        # Below a key that is no section, pydantic's path goes on with things nobody wrote.
        key = ".".join(names[: 2 if names and names[0] in sections else 1])
        return self.wrong(f"{key}: {_explain(error)}" if key else _explain(error), key=key)


def _explain(error: Mapping[str, Any]) -> str:
    """Return pydantic's message in our words; ours (`value_error`) stay as they are."""
    message: str = error["msg"]
    match error["type"]:
        case "value_error":
            return str(error["ctx"]["error"])
        case "model_type" | "model_attributes_type" | "dataclass_type":
            return f"keys of its own are expected here, not {_shown(error)}"
        case "literal_error":
            allowed = re.findall(r"'([^']*)'", error["ctx"]["expected"])
            near = nearest(str(error["input"]), allowed)
            hint = f": did you mean {near!r}?" if near else ""
            return f"must be {error['ctx']['expected']}, not {_shown(error)}{hint}"
        case "missing":
            return "is needed"
        case _:
            return f"{message[:1].lower()}{message[1:]}, not {_shown(error)}"


def _shown(error: Mapping[str, Any]) -> str:
    return shorten(repr(error["input"]), 80)
