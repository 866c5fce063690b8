"""Templates: text with paths in it, and no code.

Promises that what is parsed holds nothing but text and `{{ body.some.path }}` or `{{ headers.some-name }}`. Knows not
what stands at the end of a path.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_PLACE = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_PATH = re.compile(r"(?:body(?:\.[A-Za-z0-9_@$-]+)*|headers\.[A-Za-z0-9-]+)")


@dataclass(frozen=True, slots=True)
class Template:
    """Text, and the paths that stand in it, as tuples of their steps."""

    parts: Sequence[str | tuple[str, ...]]


def parse_template(text: str) -> Template:
    """Read a template.

    Raises:
        ValueError: a place in it is no path; the message says what to write.
    """
    parts: list[str | tuple[str, ...]] = []
    end = 0
    for match in _PLACE.finditer(text):
        parts += [text[end : match.start()], _path(match[1])]
        end = match.end()
    if "{{" in text[end:]:
        raise ValueError("a {{ is left open: write {{ body.some.path }}")
    return Template((*parts, text[end:]))


def _path(text: str) -> tuple[str, ...]:
    if not _PATH.fullmatch(text):
        raise ValueError(f"{{{{ {text} }}}} is no path: write {{{{ body.some.path }}}} or {{{{ headers.some-name }}}}")
    root, *steps = text.split(".")
    return (root, *(step.lower() if root == "headers" else step for step in steps))
