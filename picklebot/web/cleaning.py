"""HTML without what no reader sees: programs, styles, and text that is hidden from people.

A page may hide words for machines, so what a browser would not show is dropped and counted. Promises well-nested
output of known tags. Knows only a page's own markup: a style sheet that hides something is not read.
"""

import re
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser
from typing import TypeAlias

Attributes: TypeAlias = list[tuple[str, str | None]]

MAX_DEPTH = 400  #: elements inside each other; deeper ones lose their tags, not their text

_DROPPED = frozenset(
    {"script", "style", "noscript", "template", "iframe", "object", "embed", "svg", "canvas", "math", "head", "dialog"}
)
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_KEPT_ATTRIBUTES = frozenset({"href", "alt", "class", "id", "role", "title", "colspan", "start"})
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(\.0+)?\s*(;|$)|font-size\s*:\s*0|"
    r"(text-indent|left|top)\s*:\s*-\d{3,}|clip\s*:\s*rect\(\s*0|(max-)?(width|height)\s*:\s*[01]px",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clean:
    """A page's visible markup, its title, and how many characters were hidden in it."""

    html: str
    title: str
    hidden: int


def clean(html: str) -> Clean:
    """Return `html` with nothing in it that a browser would not show."""
    cleaner = _Cleaner()
    cleaner.feed(html)
    cleaner.close()
    return cleaner.result()


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._open: list[str] = []
        self._title: list[str] = []
        self._in_title = False
        self._hidden = 0
        # Inside something dropped: its tag, how many of the same tag are open in it, and whether people were misled.
        self._dropped: tuple[str, int, bool] | None = None

    def result(self) -> Clean:
        self._out += [f"</{tag}>" for tag in reversed(self._open)]
        title = " ".join("".join(self._title).split())
        body = "".join(self._out)
        page = f"<html><head><title>{escape(title)}</title></head><body>{body}</body></html>"
        return Clean(html=page, title=title, hidden=self._hidden)

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        if tag == "title" and not self._title:
            self._in_title = True
        if self._dropped is not None:
            self._deeper(tag)
            return
        misleading = _is_hidden(attrs)
        if tag == "body" and self._open == []:
            misleading = False
        if (tag in _DROPPED or misleading) and tag not in _VOID:
            self._dropped = (tag, 1, misleading)
        elif not misleading and tag not in {"html", "body", "meta", "link", "base"}:
            self._begin(tag, attrs)

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        if tag in _VOID or tag not in _DROPPED:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        if self._dropped is not None:
            name, depth, misleading = self._dropped
            if tag == name or (name == "head" and tag == "html"):
                self._dropped = (name, depth - 1, misleading) if depth > 1 else None
        elif tag in self._open:
            while (closed := self._open.pop()) != tag:
                self._out.append(f"</{closed}>")
            self._out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self._title.append(data)
        elif self._dropped is None:
            self._out.append(escape(data, quote=False))
        elif self._dropped[2]:
            self._hidden += len(data.strip())

    def _deeper(self, tag: str) -> None:
        assert self._dropped is not None
        name, depth, misleading = self._dropped
        if name == "head" and tag == "body":  # a head that was never closed
            self._dropped = None
        elif tag == name and tag not in _VOID:
            self._dropped = (name, depth + 1, misleading)

    def _begin(self, tag: str, attrs: Attributes) -> None:
        if len(self._open) >= MAX_DEPTH:
            return
        kept = "".join(f' {name}="{escape(value or "")}"' for name, value in attrs if name in _KEPT_ATTRIBUTES)
        self._out.append(f"<{tag}{kept}>")
        if tag not in _VOID:
            self._open.append(tag)


def _is_hidden(attrs: Attributes) -> bool:
    values = dict(attrs)
    return "hidden" in values or values.get("aria-hidden") == "true" or bool(_HIDING.search(values.get("style") or ""))
