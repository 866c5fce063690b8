"""What goes on outside the daemon, and so survives its crashes: people who ask, a platform, and a world to change.

Promises a record of everything an outsider could see. Knows nothing of how the daemon works.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from picklebot.channels.base import Accepted
from picklebot.core.messages import Message
from picklebot.workers.company import Queue

PEERS = 3  #: at most
QUESTIONS = 3  #: of each peer, at most
COMMANDS = 0.08  #: of all questions
TOOLS = ("look", "post", "book", "pay")  #: pure, keyed, reconcile, once
WAITING = "I have to wait"  #: how the notice of a parked turn begins
SPREAD = 40.0  #: seconds over which people ask
HURRY = 8.0  #: the same, where a message is to come while the turn of another one runs


@dataclass(slots=True, kw_only=True)
class Question:
    """A message that its platform offers again and again until it hears that it was accepted, and once more."""

    peer: str
    key: str
    content: str
    next_offer: float
    more: int
    """Offers that are still to come although it was accepted."""


@dataclass(slots=True, kw_only=True)
class Outside:
    """`troubled`: whether models, tools and the platform fail now and then. `queue` is the agent's."""

    rng: Random
    queue: Queue = "followup"
    questions: dict[str, Question]
    troubled: bool = True
    accepted: dict[str, str] = field(default_factory=dict[str, str])
    """Key -> event id, for which the platform heard "accepted"."""
    heard: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    """(peer, key of the delivery, content), as they arrived."""
    effects: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """(tool, key of the call) of each change of the world."""
    shown: dict[str, Sequence[Message]] = field(default_factory=dict[str, Sequence[Message]])
    """The words of each reply with calls -> the conversation that it was a reply to."""
    problems: list[str] = field(default_factory=list[str])
    changed: Callable[[], None] = lambda: None
    """Is told that the world was changed just now."""

    def trouble(self, odds: float) -> bool:
        """Return whether something goes wrong now."""
        return self.troubled and self.rng.random() < odds

    def offer(self, now: float) -> Question | None:
        """Return a question that the platform brings now."""
        due = [q for q in self.questions.values() if q.next_offer <= now]
        if not due:
            return None
        question = self.rng.choice(due)
        if question.key in self.accepted:
            question.more -= 1
        again = question.key not in self.accepted or question.more > 0
        question.next_offer = now + self.rng.choice((0.0, 0.5, 15.0)) + 0.001 if again else float("inf")
        return question

    def next_offer(self) -> float:
        """Return when the platform has something to bring again."""
        return min((question.next_offer for question in self.questions.values()), default=float("inf"))

    def accept(self, key: str, verdict: Accepted) -> None:
        """Hear that a question is on disk."""
        first = self.accepted.setdefault(key, verdict.event_id)
        if first != verdict.event_id:
            self.problems.append(f"{key} was accepted as {first} and again as {verdict.event_id}")

    def change(self, tool: str, key: str) -> None:
        """Change the world. A keyed change is made once, however often it is asked for."""
        if tool != "post" or (tool, key) not in self.effects:
            self.effects.append((tool, key))
        self.changed()

    @property
    def asked(self) -> bool:
        """Whether every question was accepted, and offered as often as it will be."""
        return len(self.accepted) == len(self.questions) and self.next_offer() == float("inf")


def people(rng: Random, queue: Queue = "followup") -> Outside:
    """Return an outside with people who will ask things; more, and in a hurry, where these may be answered together."""
    questions: dict[str, Question] = {}
    more, spread = (0, SPREAD) if queue == "followup" else (2, rng.choice((HURRY, SPREAD)))
    for peer in range(rng.randint(1, PEERS)):
        for n in range(rng.randint(1, QUESTIONS) + more):
            key = f"p{peer}-{n}"
            questions[key] = Question(
                peer=f"p{peer}",
                key=key,
                content="/help" if rng.random() < COMMANDS else f"Q {key}: {_plan(rng)}",
                next_offer=rng.uniform(0.0, spread),
                more=rng.choice((0, 0, 1, 2)),
            )
    return Outside(rng=rng, queue=queue, questions=questions)


def _plan(rng: Random) -> str:
    """Return the tools that will be wanted, "pay look / book" for two at once and then one."""
    steps = [" ".join(rng.choices(TOOLS, (1, 1, 1, 3), k=rng.randint(1, 2))) for _ in range(rng.choice((0, 1, 1, 2)))]
    return " / ".join(steps)


def answer(*contents: str) -> str:
    """Return what a model will say at last to these questions."""
    return f"A {' '.join(content.partition(':')[0][2:] for content in contents)}."
