"""Questions, and the notes that answer them, written for this; and searching as people do without an index.

`notes.txt` has a note a line, `questions.txt` a question a line: its kind, the notes that answer it, its words.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
KINDS = ("meaning", "words", "typo", "part")
"""What a question shares with its note: nothing but what it means; words; words mistyped; parts of words."""
_WORD = re.compile(r"\w{3,}")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and the names of the notes that answer it."""

    kind: str
    answers: frozenset[str]
    text: str


@dataclass(frozen=True, slots=True)
class Labelled:
    """Notes by name, and questions."""

    notes: dict[str, str]
    questions: list[Question]

    def write(self, folder: Path) -> Path:
        """Write each note into a file whose name says nothing; return the folder."""
        (folder / "topics").mkdir(parents=True)
        for number, text in enumerate(self.notes.values()):
            (folder / f"topics/n{number}.md").write_text(f"{text}\n", encoding="utf-8")
        return folder

    def name_of(self, path: str) -> str:
        """Return which note stands at a path."""
        return list(self.notes)[int(path.removeprefix("topics/n").removesuffix(".md"))]

    def recall(self, found: Sequence[Sequence[str]], kind: str = "all") -> float:
        """Return of how many questions in a hundred an answer is among the first five."""
        asked = list(zip(self.questions, found, strict=True))
        hits = [bool(question.answers & set(each[:5])) for question, each in asked if kind in {"all", question.kind}]
        return 100 * sum(hits) / len(hits)


def load() -> Labelled:
    """Return all of them."""
    notes = dict(line.split(": ", 1) for line in _lines("notes.txt"))
    asked = [[part.strip() for part in line.split("|")] for line in _lines("questions.txt")]
    return Labelled(notes, [Question(kind, frozenset(answers.split()), text) for kind, answers, text in asked])


def substring(labelled: Labelled, question: str) -> list[str]:
    """Return the notes that hold most words of a question somewhere in their text, as a search without an index does."""
    words = set(_WORD.findall(question.casefold())) or {question.casefold()}
    counts = {name: sum(word in text.casefold() for word in words) for name, text in labelled.notes.items()}
    return sorted((name for name in counts if counts[name]), key=lambda name: -counts[name])[:5]


def _lines(name: str) -> list[str]:
    return (HERE / name).read_text(encoding="utf-8").splitlines()
