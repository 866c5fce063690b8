"""The table: every rule, the order in which they are tried, and how one text becomes several requests.

Promises that a text is split ("and then", "and also") only where every part is understood by itself. To add a rule, add
a line to the table of its room: `talk`, `asking` or `deeds`. Knows nothing of what tools answered.
"""

import re
from collections.abc import Sequence
from itertools import islice

from picklebot.models.offline import asking, deeds, talk
from picklebot.models.offline.rule import Action, Rule, Say, Scene, rule
from picklebot.models.offline.words import plain_quotes

MAX_TEXT = 4_000  #: characters that the patterns are let loose on
MAX_PARTS = 8  #: requests in one text

_THEN = re.compile(r"[,;.]?\sand then\s|;\sthen\s", re.IGNORECASE)
_ALSO = re.compile(r"[,;.]?\sand also\s|;\salso\s", re.IGNORECASE)
_COURTESY = re.compile(
    r"(?:(?:hey|hi|hello|ok|okay|so|well|now)[,!.]?\s+)?@?pickle(?:bot)?\b\s*[,:!]?\s+"
    r"|(?:please|kindly|hey|ok|okay)[,:]?\s+"
    r"|(?:can|could|would|will) you (?:please |kindly )?(?!(?:still )?(?:remember|recall|know)\b(?! that\b))"
    r"|i (?:want|need|would like) you to\s+|i'd like you to\s+"
    r"|tell me (?=wh|how)",
    re.IGNORECASE,
)
_PLEASE = re.compile(r",?\splease[.!?\s]*$", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:@[\w-]{1,31}|[A-Za-z][\w-]{0,30}(?=[:,]))[:,]?\s+(.+)", re.DOTALL)
_ENDINGS = " \t\r\n.!?,;"


def _help(match: re.Match[str], scene: Scene) -> Action:
    lines = [f"- {each.example}" for each in TABLE if each.example and (not each.tool or each.tool in scene.tools)]
    return Say("\n".join([f"{talk.WHO} These I understand here:", *lines, "", talk.REAL]))


TABLE: Sequence[Rule] = (
    rule(r"help(?: me)?|what (?:else )?(?:can|do) you(?: do)?(?: for me)?|what are you able to do|/?\?+", _help),
    *talk.RULES,
    *asking.RULES,
    *deeds.RULES,
    *asking.QUESTIONS,
)


def plan(text: str, scene: Scene) -> list[list[Action]]:
    """Return what to do, one after the other, and within each what to do at once."""
    if len(text) > MAX_TEXT:
        return [[Say(f"{talk.WHO} I read {MAX_TEXT:,} characters at once, and this has {len(text):,}. {talk.REAL}")]]
    parts = _THEN.split(text)
    if 1 < len(parts) <= MAX_PARTS:
        groups = [_together(part, scene) for part in parts]
        understood = [group for group in groups if group is not None]
        if len(understood) == len(groups):
            return understood
    return [_together(text, scene) or [_no_idea(scene)]]


def _together(text: str, scene: Scene) -> list[Action] | None:
    parts = _ALSO.split(text)
    if 1 < len(parts) <= MAX_PARTS:
        actions = [action for part in parts if (action := interpret(part, scene)) is not None]
        if len(actions) == len(parts):
            return actions
    action = interpret(text, scene)
    return None if action is None else [action]


def interpret(text: str, scene: Scene) -> Action | None:
    """Return what one request asks for; None if no rule understands it."""
    text = _bare(text)
    action = _look_up(text, scene)
    if action is None and (address := _ADDRESS.fullmatch(text)):
        action = _look_up(_bare(address[1]), scene)
    return action


def _look_up(text: str, scene: Scene) -> Action | None:
    plain = " ".join(plain_quotes(text).split()).rstrip(_ENDINGS) or text
    for each in TABLE:
        match = each.pattern.fullmatch(text if each.exact else plain)
        if match is not None and (action := each.build(match, scene)) is not None:
            return action
    return None


def _bare(text: str) -> str:
    """Return `text` without what people say to be polite."""
    text = _PLEASE.sub("", text.strip())
    while (match := _COURTESY.match(text)) and match.end() < len(text):
        text = text[match.end() :].strip()
    return text


def _no_idea(scene: Scene) -> Say:
    examples = (each.example for each in reversed(TABLE) if each.example and each.tool in scene.tools)
    known = [*islice(examples, 1), "what is 12*7", "help"][:2]
    tries = " or ".join(f"'{example}'" for example in known)
    return Say(f"{talk.WHO} I do not understand that. Try {tries}. {talk.REAL}")
