"""Markdown as models write it, read for platforms that have a few marks of their own.

Promises that nothing but marks is lost, and that what is read is well-formed whatever was written. Knows no platform: a
`Hand` writes down what is found. Pure.
"""

import re
from typing import Literal, Protocol, TypeAlias, cast

Kind: TypeAlias = Literal["bold", "italic", "struck"]

_FENCE = re.compile(
    r"^ {0,3}(?P<mark>`{3,}|~{3,})(?P<info>[^\n`]*)\n(?P<code>.*?)(?:^ {0,3}(?P=mark)[`~]*[ \t]*$|\Z)",
    re.MULTILINE | re.DOTALL,
)
_HEADING = re.compile(r"^ {0,3}#{1,6} +(?P<title>.+?)(?: +#+)? *$", re.MULTILINE)
_LANGUAGE = re.compile(r"[A-Za-z0-9_+#.-]{1,32}")
_INLINE = re.compile(
    r"(?P<ticks>`+)(?P<code>.+?)(?P=ticks)(?!`)"
    r"|\*\*(?=\S)(?P<bold>.+?)(?<=\S)\*\*"
    r"|(?<![\w*])\*(?=[^\s*])(?P<italic>[^*\n]+?)(?<=[^\s*])\*(?![\w*])"
    r"|(?<![\w_])_(?=[^\s_])(?P<slanted>[^_\n]+?)(?<=[^\s_])_(?![\w_])"
    r"|~~(?=\S)(?P<struck>.+?)(?<=\S)~~"
    r"|\[(?P<label>[^\[\]\n]+)\]\((?P<url>(?:https?://|mailto:|tg://)[^\s()<>]+(?:\([^\s()<>]*\)[^\s()<>]*)*)\)"
)
_KINDS = {"bold": "bold", "italic": "italic", "slanted": "italic", "struck": "struck"}


class Hand(Protocol):
    """Writes what was read in a platform's own way. What it is given as `inner` it has written itself."""

    def plain(self, text: str) -> str:
        """Write text without marks."""
        ...

    def block(self, code: str, language: str) -> str:
        """Write a code block; `language` may be ""."""
        ...

    def code(self, code: str) -> str:
        """Write code within a line."""
        ...

    def link(self, inner: str, url: str) -> str:
        """Write a link."""
        ...

    def marked(self, inner: str, kind: Kind) -> str:
        """Write text that stands out. A heading is bold."""
        ...


def rewrite(text: str, hand: Hand) -> str:
    """Return markdown as `hand` writes it."""
    out: list[str] = []
    end = 0
    for match in _FENCE.finditer(text):
        language = _LANGUAGE.match(match["info"].strip())
        code = match["code"].removesuffix("\n")
        out += (_prose(text[end : match.start()], hand), hand.block(code, language[0] if language else ""))
        end = match.end()
    return "".join([*out, _prose(text[end:], hand)])


def _prose(text: str, hand: Hand) -> str:
    out: list[str] = []
    end = 0
    for match in _HEADING.finditer(text):
        title = hand.marked(_inline(match["title"], hand, inside="bold"), "bold")
        out += (_inline(text[end : match.start()], hand), title)
        end = match.end()
    return "".join([*out, _inline(text[end:], hand)])


def _inline(text: str, hand: Hand, inside: str = "") -> str:
    out: list[str] = []
    end = 0
    for match in _INLINE.finditer(text):
        out += (hand.plain(text[end : match.start()]), _marked(match, hand, inside))
        end = match.end()
    return "".join([*out, hand.plain(text[end:])])


def _marked(match: re.Match[str], hand: Hand, inside: str) -> str:
    if match["code"] is not None:
        return hand.code(match["code"])
    if match["url"] is not None:
        return hand.link(_inline(match["label"], hand, inside="link"), match["url"])
    found = next(name for name in _KINDS if match[name] is not None)
    kind = _KINDS[found]
    inner = _inline(match[found], hand, inside=kind)
    return inner if kind == inside else hand.marked(inner, cast("Kind", kind))
