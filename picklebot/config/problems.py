"""What is wrong with a configuration, said so that it can be mended: where, which key, what, and what was meant.

Promises one line for each problem, all of them at once, and never a secret. Knows no file format.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Any, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from picklebot.config.document import KeyPath
from picklebot.config.environment import PREFIX, variable
from picklebot.errors import ConfigError
from picklebot.settings import Settings
from picklebot.settings.values import Misplaced, nearest

MAX_SHOWN = 50
# What pydantic says of Python's types, as it is for whoever writes YAML.
_PLAIN = (
    (re.compile(r"a valid (dictionary|mapping)( or instance of \w+)?"), "a mapping"),
    (re.compile(r"a valid (tuple|list)"), "a list"),
    (re.compile(r"a valid string"), "text"),
    (re.compile(r", (unable|got) .*"), ""),
)
_SECRET = re.compile(r"(^|_)(env|keys?|token|secret|password)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where each value came from: a line of `file`, or a variable of the environment."""

    file: Path
    lines: Mapping[KeyPath, int]
    variables: Mapping[KeyPath, str]

    def setter(self, path: KeyPath) -> str | None:
        """Return the variable that set `path` or what it is in."""
        return next((self.variables[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.variables), None)

    def inside(self, path: KeyPath) -> list[str]:
        """Return the variables that set something in `path`."""
        return [name for inner, name in self.variables.items() if inner[: len(path)] == path]

    def line(self, path: KeyPath) -> int:
        """Return the line of `path`, or of the nearest thing around it that has one."""
        return next((self.lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in self.lines), 0)


def explain(error: ValidationError, provenance: Provenance) -> ConfigError:
    """Return one error that names every problem of `error`, each on a line, in the order of the file."""
    every = error.errors(include_url=False)
    found = sorted(
        (line for each in every[:MAX_SHOWN] for line in _problems(each, provenance)), key=lambda line: line[0]
    )
    lines = list(dict.fromkeys(text for _, text in found))
    if len(every) > MAX_SHOWN:
        lines.append(f"{provenance.file}: and {len(every) - MAX_SHOWN} more")
    return ConfigError("\n".join(lines))


def _problems(details: ErrorDetails, provenance: Provenance) -> Iterator[tuple[int, str]]:
    """Yield what is wrong, once for each place that said so, with the line by which to order it."""
    path: KeyPath = tuple(details["loc"])
    cause = details.get("ctx", {}).get("error")
    if isinstance(cause, Misplaced):
        path = (*path, *cause.path)
    setter = provenance.setter(path)
    names = [setter] if setter else provenance.inside(path)
    for name in names:
        yield 0, f"{name}: {_reason(details, path, of_variable=name)}"
    if not names or (setter is None and path in provenance.lines):
        line = provenance.line(path)
        place = f"{provenance.file}:{line}" if line else str(provenance.file)
        yield line, f"{place}: {'.'.join(str(part) for part in path)}: {_reason(details, path)}"


def _reason(details: ErrorDetails, path: KeyPath, *, of_variable: str = "") -> str:
    message = details["msg"].removeprefix("Value error, ").removeprefix("Input ")
    for pattern, plain in _PLAIN:
        message = pattern.sub(plain, message)
    shown = _shown(details, path)
    match details["type"]:
        case "extra_forbidden" if of_variable:
            return f"unknown name; {_nearest_variable(of_variable)}"
        case "extra_forbidden":
            return f"unknown key {path[-1]!r}; {_nearest_key(path)}"
        case "missing":
            return f"is missing: {_description(path)}"
        case "value_error":
            return message
        case "literal_error":
            choices = re.findall(r"'([^']*)'", message)
            close = get_close_matches(str(details["input"]), choices, n=1, cutoff=0.6)
            return f"{message}, not {shown or 'that'}" + (f"; did you mean {close[0]!r}?" if close else "")
        case "string_pattern_mismatch":
            return f"{shown or 'it'} does not fit here: {_description(path)}"
        case _:
            return f"{message}, not {shown}" if shown else message


def _shown(details: ErrorDetails, path: KeyPath) -> str:
    value = details["input"]
    if any(_SECRET.search(str(part)) for part in path):
        return ""
    if not isinstance(value, str | int | float | bool | None):
        return "a mapping" if isinstance(value, Mapping) else "a list"
    text = re.sub(r"//[^@/]*@", "//***@", repr(value))
    return text if len(text) <= 80 else text[:79] + "…"


def _nearest_key(path: KeyPath) -> str:
    here = _section_at(path[:-1])
    known = list(here.model_fields) if here else []
    word = str(path[-1])
    if not get_close_matches(word, known, n=1, cutoff=0.6):
        for name, field in Settings.model_fields.items():
            if _is_section(field.annotation) and word in field.annotation.model_fields:
                return f"did you mean '{name}.{word}'?"
    return nearest(word, known)


def _nearest_variable(name: str) -> str:
    known = [each.removeprefix(PREFIX) for each in _variables(Settings, ())]
    close = get_close_matches(name.removeprefix(PREFIX), known, n=1, cutoff=0.6)
    return f"did you mean {PREFIX + close[0]!r}?" if close else "`picklebot config schema` lists what there is"


def _description(path: KeyPath) -> str:
    here = _section_at(path[:-1])
    field = here.model_fields.get(str(path[-1])) if here else None
    return (field.description if field else None) or "see `picklebot config schema`"


def _section_at(path: KeyPath) -> type[BaseModel] | None:
    """Return the section that the keys of `path` lead to, if they lead to one."""
    here: Any = Settings
    for part in path:
        if _is_section(here):
            field = here.model_fields.get(str(part))
            here = field.annotation if field else None
        else:  # any key of a mapping and any index of a list leads to its values
            here = next((inner for inner in get_args(here) if _is_section(inner)), None)
        if get_origin(here) in {Union, UnionType}:
            here = next((inner for inner in get_args(here) if _is_section(inner)), here)
    return here if _is_section(here) else None


def _is_section(annotation: Any) -> TypeGuard[type[BaseModel]]:
    # list[int] passes for a type, and issubclass chokes on it.
    return isinstance(annotation, type) and not get_args(annotation) and issubclass(annotation, BaseModel)


def _variables(section: type[BaseModel], path: KeyPath) -> Iterator[str]:
    for name, field in section.model_fields.items():
        yield variable((*path, name))
        if _is_section(field.annotation):
            yield from _variables(field.annotation, (*path, name))
