"""What a tool answered, in words.

Promises a plain sentence for every outcome, of tools that it has never heard of too. Pure functions. Knows no rule.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, cast

from picklebot.models.offline.asking import ABOUT_ME, REMINDER, WHO_AM_I
from picklebot.models.offline.reading import Outcome
from picklebot.models.offline.words import fenced, sentence, swap_person

Input: TypeAlias = Mapping[str, Any]

_NOTHING = re.compile(r"(?:\[\]|\{\}|(?:no|nothing|none)(?: [^\n]*)?\.?)?", re.IGNORECASE)
_REMARK = re.compile(r"\[[^\n]*\]|\([^\n]*\)")
_PLACE = re.compile(r"^(?:\[[^\]\n]{1,300}\.md\b[^\]\n]{0,300}\]|[^\s:]{1,300}\.md(?::[0-9]+)?(?:[:,]| -) ?)")
_BULLET = re.compile(r"^(?:[-*+>•]|[0-9]+[.)])\s+")


def tell(outcome: Outcome) -> str:
    """Return what to say about the outcome of a call."""
    if outcome.is_error:
        return f"That did not work: {sentence(outcome.text.strip() or 'the tool gave no reason')}"
    teller = _TELLERS.get(outcome.call.name)
    return teller(outcome.call.input, outcome.text) if teller else _as_it_is(outcome.text)


def _saved(given: Input, text: str) -> str:
    content = swap_person(str(given.get("content", "")))
    return sentence(f"I will remember {content if content.startswith('to ') else f'that {content}'}")


def _found(given: Input, text: str) -> str:
    query = str(given.get("query", ""))
    lines = [_BULLET.sub("", _PLACE.sub("", line.strip())).strip() for line in _lines(text)]
    kept = _best(query, [line for line in dict.fromkeys(lines) if line and not line.startswith(("#", "---"))])
    if not kept:
        about = "you" if query in {ABOUT_ME, WHO_AM_I} else query or "that"
        return f"I have nothing about {about} in my memory."
    return f"From my memory: {kept[0]}" if len(kept) == 1 else "From my memory:\n" + _bullets(kept)


def _best(query: str, lines: Sequence[str]) -> Sequence[str]:
    """Return the lines that hold most words of `query`; all of them when it has no words of its own."""
    words = query.lower().split() if query != ABOUT_ME else []
    scores = [sum(re.search(rf"\b{re.escape(word)}", line.lower()) is not None for word in words) for line in lines]
    return [line for line, score in zip(lines, scores, strict=True) if score == max(scores)]


def _wrote(given: Input, text: str) -> str:
    return _proposed(text) or f"I wrote {given.get('path', 'it')}."


def _edited(given: Input, text: str) -> str:
    return _proposed(text) or f"I changed {given.get('path', 'it')}."


def _proposed(text: str) -> str:
    """Return what the tool says of a file that steers agents: it is only proposed. "" for any other file."""
    return sentence(text) if text.startswith("Proposed") else ""


def _file(given: Input, text: str) -> str:
    path = given.get("path", "The file")
    if not text.strip() or _REMARK.fullmatch(text.strip()):
        return text.strip() or f"{path} is empty."
    return f"{path} says:\n\n{fenced(text)}"


def _files(given: Input, text: str) -> str:
    lines = _lines(text)
    if not lines:
        return f"I found no files that match {given.get('pattern', 'that')}."
    return f"I found {len(lines)} {'entry' if len(lines) == 1 else 'entries'}:\n{_bullets(lines)}"


def _matches(given: Input, text: str) -> str:
    return fenced(text) if _lines(text) else f"I found no match for {given.get('pattern', 'that')}."


def _printed(given: Input, text: str) -> str:
    return fenced(text) if text.strip() else "It ran and printed nothing."


def _scheduled(given: Input, text: str) -> str:
    what = str(given.get("prompt", "")).removeprefix(REMINDER)
    when = next((f"{word} {given[key]}" for key, word in _WHEN if given.get(key)), "then")
    named = _member(text, "id") or _member(text, "task_id")
    note = f" To undo it, say: cancel task {named}" if named else ""
    return sentence(f"I will remind you {when.replace('T', ' ')}: {what}") + (note or _note(text))


_WHEN = (("at", "at"), ("every", "every"), ("schedule", "on the schedule"))


def _note(text: str) -> str:
    return f"\n{text.strip()}" if text.strip() and not text.lstrip().startswith(("{", "[")) else ""


def _dispatched(given: Input, text: str) -> str:
    result = _member(text, "result")
    return f"{given.get('agent_id', 'The agent')} says: {text.strip() if result is None else result.strip()}"


def _as_it_is(text: str) -> str:
    return text.strip() or "Done."


def _member(text: str, key: str) -> str | None:
    """Return a text or number that stands under `key` of a JSON object; None if `text` is nothing of the kind."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    member = cast("dict[str, object]", value).get(key) if isinstance(value, dict) else None
    return str(member) if isinstance(member, (str, int)) else None


def _lines(text: str) -> list[str]:
    return [] if _NOTHING.fullmatch(text.strip()) else [line for line in text.splitlines() if line.strip()]


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line.strip()}" for line in lines)


_TELLERS: Mapping[str, Callable[[Input, str], str]] = {
    "save_memory": _saved,
    "search_memory": _found,
    "read_file": _file,
    "read_memory": _file,
    "glob": _files,
    "grep": _matches,
    "bash": _printed,
    "web_fetch": _printed,
    "write_file": _wrote,
    "edit_file": _edited,
    "schedule_task": _scheduled,
    "list_tasks": lambda given, text: _as_it_is(text) if _lines(text) else "Nothing is scheduled.",
    "cancel_task": lambda given, text: f"I cancelled {given.get('id', 'it')}.",
    "subagent_dispatch": _dispatched,
    "post_message": lambda given, text: "I posted it.",
}
