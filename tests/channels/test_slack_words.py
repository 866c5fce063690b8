"""What Slack brings, read, and what it is given to show."""

from typing import Any

import pytest

from picklebot.channels.base import Choice
from picklebot.channels.slack.updates import Me, read
from picklebot.channels.slack.wording import LIMIT, pieces, read_text, to_mrkdwn, with_buttons
from tests.channels.slack_platform import BOT, TEAM


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("events_api", {}),
        ("events_api", {"event": None}),
        ("events_api", {"event": {"type": "message", "channel": "D1", "user": "U1", "text": "hi", "ts": "soon"}}),
        ("events_api", {"event": {"type": "message", "channel": "D1", "user": "U1", "text": "hi"}}),
        (
            "events_api",
            {"event": {"type": "message", "channel": "C1", "user": "U1", "text": "<@U0BOT> hi", "ts": "1.2"}},
        ),
        ("events_api", {"event": {"type": "message", "channel": "D1", "user": "USLACKBOT", "text": "hi", "ts": "1.2"}}),
        ("events_api", {"event": {"type": "reaction_added", "user": "U1"}}),
        ("interactive", {"type": "view_submission"}),
        ("interactive", {"type": "block_actions", "actions": [], "container": {}}),
        ("slash_commands", {"text": "help"}),
        ("options", {}),
    ],
)
def test_what_nobody_says_and_what_has_an_unknown_shape_is_left_out(kind: str, payload: dict[str, Any]) -> None:
    assert read(kind, payload, Me(team=TEAM, user=BOT, name="pickle")) is None


def test_what_is_passed_on_is_read_as_what_somebody_else_said() -> None:
    shared = [{"is_share": True, "author_name": "Ann", "text": "at &lt;noon&gt;"}, {"text": "a link that was unfolded"}]
    event = {"type": "message", "channel": "D1", "user": "U1", "text": "when?", "ts": "1.2", "attachments": shared}
    said = read("events_api", {"event": event}, Me(team=TEAM, user=BOT, name="pickle"))
    assert said is not None
    assert said.content == "when?\n[A message of Ann that was passed on:]\nat <noon>"
    assert said.outside


@pytest.mark.parametrize(
    ("markdown", "mrkdwn"),
    [
        ("**a** *b* _c_ ~~d~~ `e*f*`", "*a* _b_ _c_ ~d~ `e*f*`"),
        ("# A **b** title\n\n- one\n* two", "*A b title*\n\n• one\n• two"),
        ("[a|b](https://x.example/?q=1&r=|2)", "<https://x.example/?q=1&amp;r=%7C2|a¦b>"),
        ("```python\nif a < b:\n    **c**\n```", "```\nif a &lt; b:\n    **c**\n```"),
        ("<!channel> <@U1> <https://x.example|y>", "&lt;!channel&gt; &lt;@U1&gt; &lt;https://x.example|y&gt;"),
        ("2 * 3 * 4, snake_case_name", "2 * 3 * 4, snake_case_name"),
    ],
)
def test_markdown_becomes_what_slack_shows(markdown: str, mrkdwn: str) -> None:
    assert to_mrkdwn(markdown) == mrkdwn


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("<@U0BOT>, hi <@U0BOT>", "hi @pickle"),
        ("a &lt;b&gt; &amp;amp; <https://x.example/?a=1&amp;b=2>", "a <b> &amp; https://x.example/?a=1&b=2"),
        ("<https://x.example|the page> <mailto:a@x.example|a@x.example>", "the page (https://x.example) a@x.example"),
        ("<@U7|ann> <@U8> <#C1|general> <!here> <!subteam^S1|@team>", "@ann @U8 #general @here @team"),
    ],
)
def test_what_slack_marks_is_read_as_people_see_it(written: str, read_as: str) -> None:
    assert read_text(written, BOT, "pickle") == read_as


def test_each_piece_fits_and_what_waits_is_shown_whole_above_its_buttons() -> None:
    text = "<&>" * 3000
    assert "".join(pieces(text)) == text
    assert all(len(to_mrkdwn(part)) <= LIMIT for part in pieces(text))
    *sections, actions = with_buttons(
        text, [Choice(label="y" * 99, says="/approve 1"), Choice(label="n", says="x" * 2001)]
    )
    assert "".join(each["text"]["text"] for each in sections) == to_mrkdwn(text)
    assert all(each["expand"] and len(each["text"]["text"]) <= 3000 for each in sections)
    assert [each["value"] for each in actions["elements"]] == ["/approve 1"]
