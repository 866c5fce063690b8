"""A YAML file as plain values, and the line on which each of them stands.

Promises that reading costs no more than the file is long: its size and depth are bounded, and nothing in it refers to
anything else. A plain word is a number, true, false or null only where it is written as Python or JSON would write it;
`yes`, `0123`, `12:30` and dates stay the text that they are. Knows no setting.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, cast

import yaml

from picklebot.errors import ConfigError

KeyPath: TypeAlias = tuple[str | int, ...]

MAX_DEPTH = 16
_WORDS: Mapping[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_KINDS = frozenset(
    f"tag:yaml.org,2002:{kind}" for kind in ("bool", "float", "int", "merge", "null", "timestamp", "value")
)
# libyaml is ten times as fast, but not every build of PyYAML has it.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says. `lines` are 1-based, by the path of keys and indexes that leads there."""

    values: dict[str, Any] = field(default_factory=dict[str, Any])
    lines: Mapping[KeyPath, int] = field(default_factory=dict[KeyPath, int])


def read_text(path: Path, *, limit: int) -> str | None:
    """Return the text of a regular UTF-8 file of at most `limit` bytes, without its BOM; None where there is no file.

    Raises:
        ConfigError: if it is something else, too long, not UTF-8, or may not be read.
    """
    try:
        # A pipe in the file's place would keep a plain open waiting for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ConfigError(f"{path}: this is no regular file")
            raw = file.read(limit + 1)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read: {exc.strerror}") from exc
    if len(raw) > limit:
        raise ConfigError(f"{path}: longer than {limit // 1024} KB")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        raise ConfigError(f"{path}:{line}: byte {raw[exc.start]:#04x} is not UTF-8: save the file as UTF-8") from exc


def parse_document(text: str, *, name: str) -> Document:
    """Read the YAML mapping in `text`; `name` is what to call it in an error. Nothing at all is an empty mapping.

    Raises:
        ConfigError: if it is no YAML, no mapping, or uses what is not needed here: anchors, tags, a key twice.
    """
    root = _compose(text, name)
    if root is None:
        return Document()
    walk = _Walk(name)
    values = walk.value(root, ())
    if values is None:
        return Document()
    if not isinstance(values, dict):
        raise ConfigError(f"{name}:1: should hold `key: value` lines, not a {type(values).__name__}")
    return Document(cast("dict[str, Any]", values), walk.lines)


def parse_value(text: str, *, name: str) -> Any:
    """Read one value as a file would hold it: a list or mapping in brackets, a word, or else the text as it stands.

    Raises:
        ConfigError: if the brackets hold no YAML.
    """
    if text[:1] not in {"[", "{"}:
        return parse_word(text)
    root = _compose(text, name)
    return None if root is None else _Walk(name).value(root, ())


def parse_word(text: str) -> Any:
    """Return what a plain word means: true, false, null, or a number in its usual spelling; else the word."""
    if text in _WORDS:
        return _WORDS[text]
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        if str(number) == text and text not in {"nan", "inf", "-inf"}:
            return number
    return text


def _compose(text: str, name: str) -> Any:
    try:
        # Events first: composing recurses, so depth has to be known before it.
        depth = 0
        for event in cast("Iterator[Any]", yaml.parse(text, Loader=_Loader)):
            if getattr(event, "anchor", None) is not None:
                place = f"{name}:{event.start_mark.line + 1}"
                raise ConfigError(
                    f"{place}: anchors and aliases (&, *) are not read here: quote the text, or repeat it"
                )
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise ConfigError(f"{name}:{event.start_mark.line + 1}: nested more than {MAX_DEPTH} deep")
        return yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as exc:
        place = f"{name}:{exc.problem_mark.line + 1}" if exc.problem_mark else name
        if "nesting depth" in str(exc.problem):  # libyaml has a limit too, and reads ahead
            raise ConfigError(f"{place}: nested more than {MAX_DEPTH} deep") from exc
        start = f" ({exc.context}, from line {exc.context_mark.line + 1} on)" if exc.context_mark else ""
        raise ConfigError(f"{place}: this is no YAML: {exc.problem}{start}") from exc
    except yaml.YAMLError as exc:  # a character that YAML forbids: it has a position, and no mark
        line = text.count("\n", 0, getattr(exc, "position", 0)) + 1
        raise ConfigError(f"{name}:{line}: this is no YAML: a character that is not allowed") from exc


class _Walk:
    """Turns nodes into values, and writes down where each stood."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.lines: dict[KeyPath, int] = {}

    def value(self, node: Any, path: KeyPath) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        if node.tag == "tag:yaml.org,2002:str":
            return node.value
        if node.tag in _KINDS:
            return parse_word(node.value)
        raise self._error(node, f"the tag {node.tag!r} means nothing here: leave it out")

    def _mapping(self, node: Any, path: KeyPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._error(key_node, "a key is one word, not a list or mapping")
            key = str(key_node.value)
            if key in found:
                raise self._error(
                    key_node, f"the key {key!r} stands here twice: first on line {self.lines[*path, key]}"
                )
            self.lines[*path, key] = key_node.start_mark.line + 1
            found[key] = self.value(value_node, (*path, key))
        return found

    def _error(self, node: Any, message: str) -> ConfigError:
        return ConfigError(f"{self._name}:{node.start_mark.line + 1}: {message}")
