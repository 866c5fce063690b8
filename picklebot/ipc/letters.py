"""What is written into the files, in both directions: pure values, and how they are read from bytes nobody vouches for.

Promises that what is read as a letter is one, and that what is not is refused in words for whoever wrote it.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, cast

from picklebot.core.text import clean

MAX_BYTES = 1_000_000  #: of one file that an agent writes
MAX_NOTE = 8_000_000  #: bytes of one file that the host writes: any message, spelled in ASCII
NAME = re.compile(r"(\d{1,20})-(\d{1,10})\.json", re.ASCII)
_KEYS = ("content", "final", "channel", "event_id")


class Unreadable(ValueError):
    """This is no letter; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What the host tells an agent: what somebody wrote, where, and in which conversation."""

    content: str
    source: str
    session_id: str
    event_id: str

    def to_json(self) -> str:
        """Return it as it is written, in ASCII, the content first."""
        return json.dumps(
            {
                "content": self.content,
                "source": self.source,
                "session_id": self.session_id,
                "event_id": self.event_id,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What an agent said. `name` is that of its file, and so its identity within the conversation."""

    name: str
    content: str
    final: bool | None = None
    """Whether the turn ends with it; None: the agent does not say."""
    channel: str | None = None
    """Where it goes; None: to where the message came from."""
    event_id: str | None = None
    """Which message it is about; None: the one in hand."""


def note_id(raw: bytes | None) -> str:
    """Return which message a file for the agent holds; "" where it is no longer what the host wrote."""
    try:
        return str(json.loads(raw or b"")["event_id"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""


def is_letter(name: str) -> bool:
    """Return whether a file of this name is meant to be read: neither hidden nor a draft."""
    return name.endswith(".json") and not name.startswith(".")


def order(name: str) -> tuple[int, int]:
    """Return what letters are sorted by; those with a wrong name come first, to be refused."""
    match = NAME.fullmatch(name)
    return (int(match[1]), int(match[2])) if match else (-1, 0)


def read_letter(name: str, raw: bytes) -> Letter:
    """Return the letter in a file.

    Raises:
        Unreadable: it is none, and why.
    """
    if NAME.fullmatch(name) is None:
        raise Unreadable("its name is not <time_ns>-<n>.json; a draft's begins with a dot or ends otherwise")
    if len(raw) > MAX_BYTES:
        raise Unreadable(f"it has more than {MAX_BYTES:,} bytes")
    try:
        found: object = json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise Unreadable(f"it is not valid JSON: {exc}") from exc
    if not isinstance(found, dict):
        raise Unreadable('it is no JSON object such as {"content": "..."}')
    given = cast("dict[str, Any]", found)
    return Letter(
        name=name,
        content=_content(given),
        final=_one(given, "final", bool, "true or false"),
        channel=_one(given, "channel", str, "text"),
        event_id=_one(given, "event_id", str, "text"),
    )


def _content(given: dict[str, Any]) -> str:
    content = given.get("content")
    if not isinstance(content, str):
        raise Unreadable(f"content: must be text, and the keys are {', '.join(map(repr, given)) or 'none'}"[:300])
    if not content.strip() and given.get("final") is not True:
        raise Unreadable("content: is empty, and only what is final may be")
    return clean(content)


def _one(given: dict[str, Any], key: str, kind: type[Any], words: str) -> Any:
    value = given.get(key)
    if value is not None and not isinstance(value, kind):
        raise Unreadable(f"{key}: must be {words}, not {value!r}"[:300])
    return clean(value) if isinstance(value, str) else value
