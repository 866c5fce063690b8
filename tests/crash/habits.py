"""What a platform may do to a daemon, how often, and the log it keeps of it: values.

Knows no socket.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

EntryKind: TypeAlias = Literal["offered", "accepted", "refused", "reply", "repeat", "rejected", "turned away"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the log. `key` is the message's, or the reply's; `at` is in seconds since the platform began."""

    at: float
    kind: EntryKind
    key: str
    peer: str = ""
    content: str = ""
    event_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How often (0 to 1) the platform does what."""

    offers_again: float = 0.0  #: an accepted message, up to 20 times in all
    loses_before: float = 0.0  #: a reply, and says so
    loses_after: float = 0.0  #: the receipt: the reply is there, and the sender hears of a failure
    answers_twice: float = 0.0
    answers_late: float = 0.0
    is_busy: float = 0.0  #: "not now, but in a moment"
    rejects: float = 0.0
    hangs_up: float = 0.0  #: before or after it has the reply


QUIET = Habits()
ROUGH = Habits(
    offers_again=0.5,
    loses_before=0.03,
    loses_after=0.03,
    answers_twice=0.1,
    answers_late=0.1,
    is_busy=0.05,
    rejects=0.01,
    hangs_up=0.005,
)


@dataclass(slots=True, kw_only=True)
class Posted:
    """What a person has written. `copies` is how many more times it will be offered although it was accepted."""

    key: str
    peer: str
    content: str
    copies: int
    accepted: bool = False
