"""HTML into markdown: headings, lists, links, tables, code. What `clean` made goes in.

Promises that every word of it stays, in order. Knows no article from its surroundings: that is trafilatura's trade.
"""

import re
from html.parser import HTMLParser
from urllib.parse import urljoin

from picklebot.web.cleaning import Attributes

_BLOCKS = frozenset(
    {
        "address", "article", "aside", "blockquote", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption",
        "figure", "footer", "form", "header", "hr", "main", "nav", "ol", "p", "section", "summary", "table", "ul",
    }
)  # fmt: skip
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
_SPANS = {"b": "**", "strong": "**", "i": "*", "em": "*", "code": "`", "kbd": "`"}


def to_markdown(html: str, base: str = "") -> str:
    """Return the text of `html`, links made whole against `base`."""
    writer = _Writer(base)
    writer.feed(html)
    writer.close()
    return writer.text()


class _Writer(HTMLParser):
    def __init__(self, base: str) -> None:
        super().__init__(convert_charrefs=True)
        self._base = base
        self._out: list[str] = []
        self._lists: list[int | None] = []  # the next number of each open list; None: bullets
        self._links: list[str] = []
        self._pre = 0
        self._title = False

    def text(self) -> str:
        text = "".join(self._out)
        text = re.sub(r"[ \t]+\n", "\n", text)
        return re.sub(r"\n{3,}", "\n\n", text).strip()

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        values = dict(attrs)
        if tag in _HEADINGS:
            self._out.append(f"\n\n{_HEADINGS[tag]} ")
        elif tag in {"ol", "ul"}:
            self._out.append("\n" if self._lists else "\n\n")
            self._lists.append(1 if tag == "ol" else None)
        elif tag == "li":
            self._item()
        elif tag == "pre":
            self._pre += 1
            self._out.append("\n\n```\n")
        elif tag in _BLOCKS:
            self._out.append("\n\n")
        else:
            self._inline(tag, values)

    def handle_endtag(self, tag: str) -> None:
        if tag in {"ol", "ul"} and self._lists:
            self._lists.pop()
            self._out.append("\n" if self._lists else "\n\n")
        elif tag == "pre" and self._pre:
            self._pre -= 1
            self._out.append("\n```\n\n")
        elif tag in _HEADINGS or tag in _BLOCKS:
            self._out.append("\n\n")
        elif tag == "a" and self._links:
            target = self._links.pop()
            self._out.append(f"]({target})" if target else "")
        elif tag in _SPANS and not self._pre:
            self._out.append(_SPANS[tag])
        elif tag in {"td", "th"}:
            self._out.append(" |")
        elif tag == "title":
            self._title = False

    def handle_data(self, data: str) -> None:
        if self._title:
            return
        if not self._pre:
            data = re.sub(r"\s+", " ", data)
            if data == " " and (not self._out or self._out[-1].endswith((" ", "\n"))):
                return
        self._out.append(data)

    def _inline(self, tag: str, values: dict[str, str | None]) -> None:
        match tag:
            case "a":
                href = (values.get("href") or "").strip()
                target = urljoin(self._base, href) if href else ""
                self._links.append(target if target.startswith(("http://", "https://", "mailto:")) else "")
                self._out.append("[" if self._links[-1] else "")
            case "br":
                self._out.append("\n")
            case "img":
                self._out.append(f"[image: {values['alt']}]" if values.get("alt") else "")
            case "tr":
                self._out.append("\n|")
            case "td" | "th":
                self._out.append(" ")
            case "title":
                self._title = True
            case _ if tag in _SPANS and not self._pre:
                self._out.append(_SPANS[tag])
            case _:
                pass

    def _item(self) -> None:
        depth = max(len(self._lists) - 1, 0)
        number = self._lists[-1] if self._lists else None
        self._out.append(f"\n{'  ' * depth}{'-' if number is None else f'{number}.'} ")
        if number is not None:
            self._lists[-1] = number + 1
