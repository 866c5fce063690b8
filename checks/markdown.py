"""Reads markdown as far as the documentation check needs: fenced blocks, links, headings; and writes tables.

Promises line numbers that an editor agrees with. Knows nothing of what the blocks mean.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>`{3,}|~{3,})\s*(?P<language>[\w+-]*)")
_NO_TEST = re.compile(r"<!--\s*no-test:\s*(?P<reason>\S.*?)\s*-->")
_INLINE_LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+[\"'][^)]*)?\)")
_NAMED_LINK = re.compile(r"^\s*\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)")
_HTML_LINK = re.compile(r"<(?:a|img|source)\b[^>]*\b(?:href|src|srcset)=[\"']([^\"']+)")
_HTML_ANCHOR = re.compile(r"<\w+\b[^>]*\b(?:id|name)=[\"']([^\"']+)")
_HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$")
_CODE_SPAN = re.compile(r"(`+)(?:.*?)\1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block. `line` is the 1-based line of its first line of text; `no_test` why it is not run, if so."""

    language: str
    text: str
    line: int
    no_test: str | None = None


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks, in order; an unclosed one runs to the end of the page."""
    return list(_split(text)[0])


def links(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line, target) of every link and image outside code."""
    for number, line in _split(text)[1]:
        bare = _CODE_SPAN.sub(lambda span: "x" * len(span.group()), line)
        for pattern in (_INLINE_LINK, _NAMED_LINK, _HTML_LINK):
            for match in pattern.finditer(bare):
                yield number, match.group(1)


def anchors(text: str) -> set[str]:
    """Return what `#...` may name on this page, by GitHub's rule for headings."""
    found: set[str] = set()
    seen: Counter[str] = Counter()
    for _, line in _split(text)[1]:
        found.update(_HTML_ANCHOR.findall(line))
        heading = _HEADING.match(line)
        if heading:
            slug = _slug(heading.group(1))
            found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
            seen[slug] += 1
    return found


def _slug(heading: str) -> str:
    shown = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    kept = re.sub(r"[^\w\- ]", "", shown.strip().lower())
    return kept.replace(" ", "-")


def _split(text: str) -> tuple[list[Block], list[tuple[int, str]]]:
    """Return the fenced blocks, and the numbered lines outside them."""
    found: list[Block] = []
    outside: list[tuple[int, str]] = []
    lines = enumerate(text.splitlines(), start=1)
    before = ""
    for number, line in lines:
        fence = _FENCE.match(line)
        if fence is None:
            outside.append((number, line))
        else:
            reason = _NO_TEST.search(before)
            found.append(
                Block(
                    language=fence["language"].lower(),
                    text=_until_closed(lines, fence),
                    line=number + 1,
                    no_test=reason["reason"] if reason else None,
                )
            )
        before = line
    return found, outside


def _until_closed(lines: Iterator[tuple[int, str]], fence: re.Match[str]) -> str:
    indent, ticks = len(fence["indent"]), fence["ticks"]
    inside: list[str] = []
    for _, line in lines:
        closing = line.strip()
        if closing.startswith(ticks) and not closing.strip(ticks[0]):
            break
        inside.append(line[indent:] if not line[:indent].strip() else line)
    return "".join(f"{line}\n" for line in inside)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    lines = [header, ["---"] * len(header), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
