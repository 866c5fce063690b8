"""What the stand-in says by itself, with no tool: who it is, what time it is, what was said before, sums.

Promises to claim nothing that it does not know. Knows no tool.
"""

import re
from collections.abc import Sequence

from picklebot.core.text import shorten
from picklebot.models.offline import sums
from picklebot.models.offline.rule import Action, Rule, Say, Scene, rule, say
from picklebot.models.offline.words import unquote

WHO = "I am picklebot's offline stand-in: a few rules, no language model."
REAL = (
    "For a real model set ANTHROPIC_API_KEY, or model.provider: anthropic and model.base_url for a server of your own."
)
_RECALLED = 20  #: messages that a summary of the conversation shows


def _time(match: re.Match[str], scene: Scene) -> Action:
    if scene.now is None:
        return Say("I do not know what time it is here.")
    zone = f", {scene.zone}" if scene.zone else ""
    return Say(f"It is {scene.now:%A, %Y-%m-%d, %H:%M}{zone}.")


def _heard(match: re.Match[str], scene: Scene) -> Action:
    return _quoted("You said", scene.heard, match)


def _said(match: re.Match[str], scene: Scene) -> Action:
    return _quoted("I said", scene.said, match)


def _quoted(lead: str, texts: Sequence[str], match: re.Match[str]) -> Say:
    if not texts:
        return Say("Nothing was said before this in our conversation.")
    return Say(f"{lead}: {texts[0 if 'first' in match[0].lower() else -1]}")


def _summary(match: re.Match[str], scene: Scene) -> Action:
    if not scene.heard:
        return Say("There is nothing to sum up: nothing was said before this.")
    lines = [f"- {shorten(text, 200)}" for text in scene.heard[-_RECALLED:]]
    return Say("\n".join(["The user said, in order:", *lines]))


def _sum(match: re.Match[str], scene: Scene) -> Action | None:
    result = sums.answer(match[1])
    return None if result is None else Say(result)


RULES: Sequence[Rule] = (
    rule(
        r"(?:hi|hello|hey|hallo|moin|howdy|greetings|good (?:morning|afternoon|evening|day))(?:,? (?:there|again|pickle(?:bot)?))*",
        say(f"Hello. {WHO} Say 'help' to see what I can do."),
    ),
    rule(r"how are you(?: doing)?(?: today)?", say("As ever, thank you: rules have no moods.")),
    rule(r"(?:thanks?|thank you|thx|cheers)(?: you)?(?: very much| so much| a lot)?", say("You are welcome.")),
    rule(r"(?:bye|goodbye|good night|see you(?: later| soon)?|tschüss)", say("Goodbye.")),
    rule(r"(?:who|what) are you|(?:what|which) (?:language )?model (?:is this|are you)", say(f"{WHO} {REAL}")),
    rule(r"are you (?:an? )?(?:real|ai|bot|human|robot|model|language model)", say(f"{WHO} {REAL}")),
    rule(r"this is a heartbeat:.*", say("HEARTBEAT_OK")),  # rules see nothing that would need attention
    rule(r"remind the user:?(?: to)? (.+)", lambda match, scene: Say(f"Reminder: {match[1]}"), exact=True),
    rule(
        r"(?:say|repeat(?: after me)?|echo)(?:\s*:\s*|\s+)(.+)",
        lambda m, s: Say(unquote(m[1])),
        "say hello",
        exact=True,
    ),
    rule(
        r"what(?:'s| is)(?: the)?(?: current)? (?:time|date|day)(?: is it)?(?: now| today)?|what (?:time|date|day) is it"
        r"(?: now| today)?|(?:the )?(?:time|date)",
        _time,
        "what time is it",
    ),
    rule(
        r"what (?:did|have) i (?:just )?(?:say|said|ask|asked|write|written|tell you|told you)"
        r"(?: you)?(?: first| last| before| earlier| just now)?|(?:what (?:was|is) )?my (?:last|first|previous) "
        r"(?:message|question|words?)",
        _heard,
        "what did I say before",
    ),
    rule(r"what did you (?:just )?say(?: first| last| before| earlier| just now)?", _said),
    rule(r"summari[sz]e(?: .*)?|sum up(?: .*)?", _summary),
    rule(
        r"(?:what(?:'s| is| does)|how much is|calculate|compute|evaluate)?\s*(.+?)(?: make| equal| come to)?\s*=?\s*",
        _sum,
        "what is 12*7",
    ),
)
