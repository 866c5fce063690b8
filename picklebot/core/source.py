"""Where a message came from and where its reply goes: `telegram:42:7`.

Promises that `Source.parse(str(source)) == source` for every source. Knows no channel.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

MAX_LENGTH = 256
JOBS = frozenset({"cron", "task", "heartbeat"})  #: channels on which nobody speaks: time does
_SPECIAL = re.compile(r"[:%\x00-\x1f]")
_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Source:
    """A channel's name and the platform's own ids below it, most significant first."""

    channel: str
    parts: tuple[str, ...] = ()

    @property
    def is_job(self) -> bool:
        """Whether a job asks, and not a person or a program."""
        return self.channel in JOBS

    def __str__(self) -> str:
        return _spell(self.channel, self.parts)

    @classmethod
    def parse(cls, text: str) -> "Source":
        """Read what `str` wrote.

        Raises:
            ValueError: if it is empty, too long, or names no channel.
        """
        if len(text) > MAX_LENGTH:
            raise ValueError(f"a source has at most {MAX_LENGTH} characters, this one has {len(text)}")
        channel, *parts = (_unescape(part) for part in text.split(":"))
        if not channel:
            raise ValueError(f"{text!r} names no channel: a source looks like 'telegram:42:7'")
        return cls(channel, tuple(parts))


@lru_cache(maxsize=8192)  # the same few people speak again and again, and each message is spelled three times
def _spell(channel: str, parts: tuple[str, ...]) -> str:
    return ":".join(_escape(part) for part in (channel, *parts))


def _escape(part: str) -> str:
    return _SPECIAL.sub(lambda match: f"%{ord(match[0]):02X}", part)


def _unescape(part: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), part) if "%" in part else part
