"""Replies in the form that Telegram takes, with its own few marks.

Promises that whatever a model wrote becomes well-formed HTML of the kinds that Telegram knows
(https://core.telegram.org/bots/api#html-style), with nothing lost but the marks. Pure.
"""

import html

from picklebot.channels.markup import Kind, rewrite

LIMIT = 4096  #: UTF-16 code units of one message, after its marks are taken out
_TAGS = {"bold": "b", "italic": "i", "struck": "s"}


class _Html:
    """Writes Telegram's tags."""

    def plain(self, text: str) -> str:
        return html.escape(text, quote=False)

    def block(self, code: str, language: str) -> str:
        shown = html.escape(code, quote=False)
        return f'<pre><code class="language-{language}">{shown}</code></pre>' if language else f"<pre>{shown}</pre>"

    def code(self, code: str) -> str:
        return f"<code>{html.escape(code, quote=False)}</code>"

    def link(self, inner: str, url: str) -> str:
        return f'<a href="{html.escape(url)}">{inner}</a>'

    def marked(self, inner: str, kind: Kind) -> str:
        return f"<{_TAGS[kind]}>{inner}</{_TAGS[kind]}>"


_HAND = _Html()


def to_html(text: str) -> str:
    """Return markdown as the HTML that Telegram takes."""
    return rewrite(text, _HAND)
