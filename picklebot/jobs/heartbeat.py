"""A heartbeat: when it beats, what it asks, and which answers are silence. Pure; knows no store and not what time it is."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo

from picklebot.jobs.timing import Timing

CHANNEL = "heartbeat"  #: of the source that speaks in a beat
STEPS = 12  #: model calls in one beat, at most
MARK = "HEARTBEAT_OK"
SHORT = 300  #: characters beside the mark that are still silence
BEGINNING = "This is a heartbeat:"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_NOTHING = re.compile(r"#.*|[-*+_=\s]*(?:\[[ xX]?\])?\s*|`{3,}.*")  # headings, rules, empty points, fences
_FRILLS = r"[\s*_`~\"'.!]*"  # markdown and full stops that models put around a word
_FIRST = re.compile(rf"{_FRILLS}{MARK}(?!\w){_FRILLS}")
_LAST = re.compile(rf"{_FRILLS}(?<!\w){MARK}{_FRILLS}\Z")
_PROMPT = """{beginning} nobody wrote just now. Look at this list, do what it asks for if it is due, and do not take up \
old business of this conversation again. If nothing needs the user's attention, answer with {mark} and nothing else. \
Otherwise answer with what they should read, without that word.

{points}"""


@dataclass(frozen=True, slots=True)
class Hours:
    """A part of the day, its end not included. One that ends before it begins goes past midnight."""

    begin: time
    end: time

    @classmethod
    def parse(cls, text: str) -> "Hours":
        """Read `08:00-22:00`; 24:00 is the end of the day."""
        begin, end = text.split("-")
        return cls(time.fromisoformat(begin), time.fromisoformat("00:00" if end == "24:00" else end))

    def hold(self, moment: datetime) -> bool:
        """Return whether a local moment lies within. One that begins when it ends is the whole day."""
        now = moment.time()
        if self.begin < self.end:
            return self.begin <= now < self.end
        return now >= self.begin or now < self.end


def rhythm(seconds: float, zone: tzinfo) -> Timing:
    """Return when a heartbeat beats: counted from one fixed moment, so that a restart does not shift it."""
    return Timing(zone=zone, every=seconds, anchor=_EPOCH)


def points(text: str) -> str:
    """Return what HEARTBEAT.md asks to look at; "" if it holds only headings, comments and empty points."""
    kept = _COMMENT.sub("", text)
    return kept.strip() if any(not _NOTHING.fullmatch(line.strip()) for line in kept.splitlines()) else ""


def prompt(listed: str) -> str:
    """Return what the agent is asked."""
    return _PROMPT.format(beginning=BEGINNING, mark=MARK, points=listed)


def audible(reply: str) -> str:
    """Return what is to be delivered of a reply, without the mark; "" where it is silence."""
    rest = _LAST.sub("", _FIRST.sub("", reply, count=1) if _FIRST.match(reply) else reply)
    marked = rest != reply
    return "" if marked and len(rest.strip()) <= SHORT else rest.strip() if marked else reply
