"""Replies in the form that Slack takes, and its form of text read as people write it.

Promises that whatever a model wrote becomes mrkdwn (https://docs.slack.dev/messaging/formatting-message-text) which
calls nobody and fetches nothing, with nothing lost but marks, in pieces that Slack takes whole. Pure.
"""

import re
from collections.abc import Sequence
from typing import Any

from picklebot.channels.base import Choice
from picklebot.channels.markup import Kind, rewrite
from picklebot.channels.split import split

LIMIT = 4000  #: characters of one message as Slack gets it: beyond, it cannot be edited any more
_SECTION = 3000  #: characters of one section block
_LABEL, _SAYS = 75, 2000  #: characters of a button, and behind it
_MARKS = {"bold": "*", "italic": "_", "struck": "~"}
_BULLET = re.compile(r"^([ \t]*)[-*+] +(?=\S)", re.MULTILINE)
_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_SPECIAL = re.compile(r"<([^<>\n]+)>")


class _Mrkdwn:
    """Writes Slack's marks."""

    def plain(self, text: str) -> str:
        return escape(_BULLET.sub(r"\1• ", text))

    def block(self, code: str, language: str) -> str:
        return f"```\n{escape(code)}\n```"  # a language would be shown as code

    def code(self, code: str) -> str:
        return f"`{escape(code)}`"

    def link(self, inner: str, url: str) -> str:
        return f"<{escape(url).replace('|', '%7C')}|{inner.replace('|', '¦')}>"

    def marked(self, inner: str, kind: Kind) -> str:
        return f"{_MARKS[kind]}{inner}{_MARKS[kind]}"


_HAND = _Mrkdwn()


def escape(text: str) -> str:
    """Return text in which nothing means anything to Slack but marks."""
    return re.sub(r"[&<>]", lambda match: _ESCAPED[match[0]], text)


def to_mrkdwn(text: str) -> str:
    """Return markdown as mrkdwn."""
    return rewrite(text, _HAND)


def pieces(text: str, limit: int = LIMIT) -> list[str]:
    """Return markdown in pieces, each of which fits into one message when it is mrkdwn."""
    step = limit
    while True:
        parts = split(text, step)
        if all(len(to_mrkdwn(part)) <= limit for part in parts):
            return parts
        step = step * 3 // 4


def with_buttons(text: str, choices: Sequence[Choice]) -> list[dict[str, Any]]:
    """Return blocks that show a markdown text whole and choices as buttons below it; [] where no choice fits."""
    buttons = [
        {
            "type": "button",
            "action_id": f"choice-{number}",
            "text": {"type": "plain_text", "text": choice.label[:_LABEL]},
            "value": choice.says,
        }
        for number, choice in enumerate(choices)
        if len(choice.says) <= _SAYS
    ]
    if not buttons:
        return []
    sections = [
        {"type": "section", "expand": True, "text": {"type": "mrkdwn", "text": to_mrkdwn(part)}}
        for part in pieces(text, _SECTION)
    ]
    return [*sections, {"type": "actions", "elements": buttons}]


def read_text(text: str, me: str, name: str) -> str:
    """Return what a person wrote as they see it, without the bot's name before it. `me` is the bot's id."""
    stripped = text.strip()
    while (found := _SPECIAL.match(stripped)) and found[1].partition("|")[0] == f"@{me}":
        stripped = stripped[found.end() :].lstrip(" ,:\n")
    shown = _SPECIAL.sub(lambda match: _shown(match[1], me, name), stripped)
    return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def names(text: str, me: str) -> bool:
    """Return whether a text names somebody."""
    return any(found[1].partition("|")[0] == f"@{me}" for found in _SPECIAL.finditer(text))


def _shown(inside: str, me: str, name: str) -> str:
    what, _, label = inside.partition("|")
    match what[0]:
        case "@":
            return f"@{name if what == f'@{me}' else label or what[1:]}"
        case "#":
            return f"#{label or what[1:]}"
        case "!":
            return label or f"@{what[1:].partition('^')[0]}"
        case _:
            bare = what.removeprefix("mailto:")
            return f"{label} ({bare})" if label and label not in bare else bare
