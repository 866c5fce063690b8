"""Replies in the form that Telegram takes: short enough, and with its own few marks.

Promises that whatever a model wrote becomes well-formed HTML of the kinds that Telegram knows
(https://core.telegram.org/bots/api#html-style), with nothing lost but the marks. Pure.
"""

import html
import re

LIMIT = 4096  #: UTF-16 code units of one message, after its marks are taken out
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
_TAGS = {"bold": "b", "italic": "i", "slanted": "i", "struck": "s"}


def to_html(text: str) -> str:
    """Return markdown as the HTML that Telegram takes."""
    out: list[str] = []
    end = 0
    for match in _FENCE.finditer(text):
        out += (_prose(text[end : match.start()]), _block(match))
        end = match.end()
    return "".join([*out, _prose(text[end:])])


def _block(match: re.Match[str]) -> str:
    code = html.escape(match["code"].removesuffix("\n"), quote=False)
    language = _LANGUAGE.match(match["info"].strip())
    return f'<pre><code class="language-{language[0]}">{code}</code></pre>' if language else f"<pre>{code}</pre>"


def _prose(text: str) -> str:
    out: list[str] = []
    end = 0
    for match in _HEADING.finditer(text):
        out += (_inline(text[end : match.start()]), "<b>", _inline(match["title"], inside="bold"), "</b>")
        end = match.end()
    return "".join([*out, _inline(text[end:])])


def _inline(text: str, inside: str = "") -> str:
    out: list[str] = []
    end = 0
    for match in _INLINE.finditer(text):
        out += (html.escape(text[end : match.start()], quote=False), _marked(match, inside))
        end = match.end()
    return "".join([*out, html.escape(text[end:], quote=False)])


def _marked(match: re.Match[str], inside: str) -> str:
    if match["code"] is not None:
        return f"<code>{html.escape(match['code'], quote=False)}</code>"
    if match["url"] is not None:
        return f'<a href="{html.escape(match["url"])}">{_inline(match["label"], inside="link")}</a>'
    kind = next(name for name in _TAGS if match[name] is not None)
    inner = _inline(match[kind], inside=kind)
    return inner if kind == inside else f"<{_TAGS[kind]}>{inner}</{_TAGS[kind]}>"
