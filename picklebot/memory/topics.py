"""Where the notes on a topic stand.

Promises one path for one topic, however it is capitalised or spaced, always below the folder of notes. Pure.
"""

import re
import unicodedata
from datetime import UTC, date, datetime

DAILY = "daily-notes"
_MAX_SLUG = 80
_OTHER = re.compile(r"[^\w]+")


def path_of(topic: str, at: datetime) -> str:
    """Return the path for a topic: `topics/tea.md`, `projects/shed.md`, `daily-notes/2026-11-21.md`.

    Raises:
        ValueError: if nothing in `topic` can be a name.
    """
    written = topic.strip().strip("/").removesuffix(".md")
    prefix, slash, rest = written.partition("/")
    match prefix.casefold():
        case "daily-notes" if not slash:
            return f"{DAILY}/{at.astimezone(UTC):%Y-%m-%d}.md"
        case "daily-notes":
            return f"{DAILY}/{_day(rest)}.md"
        case "projects" if slash:
            return f"projects/{_slug(rest, topic)}.md"
        case "topics" if slash:
            return f"topics/{_slug(rest, topic)}.md"
        case _:
            return f"topics/{_slug(written, topic)}.md"


def _slug(text: str, topic: str) -> str:
    plain = unicodedata.normalize("NFC", text).lower()
    slug = _OTHER.sub("-", plain)[:_MAX_SLUG].strip("-_")
    if not slug:
        raise ValueError(f"{topic!r} is no topic: use a few words, 'projects/<name>' or 'daily-notes'")
    # A name may have 255 bytes, and a letter up to four of them.
    return slug.encode()[:200].decode("utf-8", "ignore")


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError(f"{text!r} is no day: write daily-notes, or daily-notes/2026-11-21") from None
