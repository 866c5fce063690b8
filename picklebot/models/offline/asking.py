"""Rules that ask memory, the calendar and other agents.

Promises inputs as the tools' schemas name them. Knows no result.
"""

import re
from collections.abc import Sequence

from picklebot.models.offline import moments
from picklebot.models.offline.moments import WHEN
from picklebot.models.offline.rule import Action, Rule, Say, Scene, Use, rule
from picklebot.models.offline.words import keywords, topic_of

ABOUT_ME = "I me my"  #: what to search for when the question holds no other word
WHO_AM_I = "I am my name"
REMINDER = "Remind the user: "  #: how the prompt of a scheduled task begins

_PEOPLE = frozenset(("me", "us", "him", "her", "them", "it", "you", "everyone", "someone", "a", "an", "the"))
_FIRST = re.compile(rf"(?P<when>{WHEN})(?:,? (?:to|that|about|of)\b|[:,])?\s+(?P<what>.+)", re.IGNORECASE | re.DOTALL)
_LAST = re.compile(rf"(?:(?:to|that|about|of)\b\s*)?(?P<what>.+?),?\s+(?P<when>{WHEN})", re.IGNORECASE | re.DOTALL)
_NO_TIME = "When? Say it like 'remind me to call home in 10 minutes', '... at 15:00' or '... every day at 9'."
_MINE = r"\b(?:my|our|mine|i|me|we)\b"
_ADVICE = r"how (?:do|can|should|would|could) (?:i|we)\b|what (?:should|can|could|shall|do) (?:i|we) (?:do|say)\b"


def _remember(match: re.Match[str], scene: Scene) -> Action:
    content = match["what"].strip()
    return Use("save_memory", {"topic": topic_of(content), "content": content})


def _recall(match: re.Match[str], scene: Scene) -> Action:
    return Use("search_memory", {"query": keywords(match["what"]) or ABOUT_ME})


def _told(match: re.Match[str], scene: Scene) -> Action:
    """Look in the conversation first: what was said a minute ago is in no memory."""
    wanted = set(keywords(match["what"]).lower().split())
    lines = [text for text in scene.heard if wanted & set(keywords(text).lower().split())]
    return Say(f"You said: {lines[-1]}") if lines else _recall(match, scene)


def _remind(match: re.Match[str], scene: Scene) -> Action:
    given = match.groupdict().get("when")
    text = f"{given} {match['rest']}" if given else match["rest"]
    split = _FIRST.fullmatch(text) or _LAST.fullmatch(text)
    fields = moments.parse(split["when"], scene.now) if split else None
    if split is None or fields is None:
        return Say(_NO_TIME)
    return Use("schedule_task", {"prompt": REMINDER + split["what"].strip(), **fields})


def _list_tasks(match: re.Match[str], scene: Scene) -> Action:
    return Use("list_tasks", {})


def _cancel(match: re.Match[str], scene: Scene) -> Action:
    return Use("cancel_task", {"id": match["id"]})


def _ask(match: re.Match[str], scene: Scene) -> Action | None:
    agent, task = match["agent"].lower(), match["task"].strip()
    if agent in _PEOPLE:
        return None
    about = match.groupdict().get("about")
    return Use("subagent_dispatch", {"agent_id": agent, "task": f"What do you know about {task}?" if about else task})


def _mention(match: re.Match[str], scene: Scene) -> Action | None:
    # Where nobody else can be asked, a name at the start is only an address.
    return _ask(match, scene) if "subagent_dispatch" in scene.tools else None


def _use_skill(match: re.Match[str], scene: Scene) -> Action:
    return Use("use_skill", {"name": match["before"] or match["after"]})


def _post(match: re.Match[str], scene: Scene) -> Action:
    return Use("post_message", {"content": match[1].strip()})


_AGENT = r"(?:the\s+)?@?(?P<agent>[\w-]+)(?:\s+agent)?"

RULES: Sequence[Rule] = (
    rule(
        r"(?:remember|memori[sz]e|keep in mind|do not forget|don't forget)(?: that\b|\s*:)?\s+(?!me\b)(?P<what>.+)",
        _remember,
        "remember that I like tea",
        tool="save_memory",
    ),
    rule(r"(?:note|(?:make|take) a note|note down)(?: that\b|\s*:)\s*(?P<what>.+)", _remember, tool="save_memory"),
    rule(
        r"(?:(?:what|anything|everything)(?: else)? )?(?:do|did|can) you (?:still )?(?:know|remember|recall)"
        r"(?: about)?\s+(?P<what>.+)",
        _recall,
        "what do you know about me",
        tool="search_memory",
    ),
    rule(r"(?:recall|i (?:have )?forgot(?:ten)?|tell me about)\s+(?P<what>.+)", _recall, tool="search_memory"),
    rule(
        r"(?:search|look in|check)(?: in)?(?: your| my| the)? (?:memory|memories|notes)(?: for| about)?\s+(?P<what>.+)",
        _recall,
        tool="search_memory",
    ),
    rule(r"what did i (?:say|tell you|write) about\s+(?P<what>.+)", _told, tool="search_memory"),
    rule(r"remind me\s+(?P<rest>.+)", _remind, "remind me to stretch in 10 minutes", tool="schedule_task"),
    rule(rf"(?P<when>{WHEN}),?\s+remind me\s+(?P<rest>.+)", _remind, tool="schedule_task"),
    rule(
        r"(?:(?:list|show|what are|which are|what)(?: me)?(?: all)?(?: of)? )?(?:(?:my|the|your) )?(?:scheduled )?"
        r"(?:reminders|tasks|jobs)(?: (?:do i have|are there|are scheduled))?",
        _list_tasks,
        "list my reminders",
        tool="list_tasks",
    ),
    rule(
        r"(?:cancel|delete|remove|stop)(?: the| my)? (?:task|reminder|job)(?: number| id|:)?\s*#?(?P<id>\S+)",
        _cancel,
        "cancel task ID",
        tool="cancel_task",
    ),
    rule(rf"ask\s+{_AGENT}\s+(?P<about>about)\s+(?P<task>.+)", _ask, tool="subagent_dispatch"),
    rule(
        rf"(?:ask|tell)\s+{_AGENT}[:,]?\s+(?:to\s+|for\s+)?(?P<task>.+)",
        _ask,
        "ask AGENT to say hello",
        tool="subagent_dispatch",
        exact=True,
    ),
    rule(r"@(?P<agent>[\w-]+)[:,]?\s+(?P<task>.+)", _mention, tool="subagent_dispatch", exact=True),
    rule(
        r"(?:use|load)(?: the)? (?:skill:?\s+(?P<before>[\w-]+)|(?P<after>[\w-]+) skill)",
        _use_skill,
        "use the NAME skill",
        tool="use_skill",
    ),
    rule(r"post(?: (?:the|this) message)?:?\s+(.+)", _post, "post good morning", tool="post_message", exact=True),
)

#: Questions so open that every other rule comes first.
QUESTIONS: Sequence[Rule] = (
    rule(r"who (?:am i|i am)", lambda match, scene: Use("search_memory", {"query": WHO_AM_I}), tool="search_memory"),
    rule(
        rf"(?!{_ADVICE})(?=.*{_MINE})(?P<what>(?:what|which|who|when|where|how|do|did|am|is|was)\b.+)",
        _recall,
        tool="search_memory",
    ),
    rule(r"(?P<what>(?:where|when|who)\b.+|what(?:'s| is) \w+'s .+)", _recall, tool="search_memory"),
)
