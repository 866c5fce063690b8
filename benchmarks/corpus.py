"""Notes to search in: a thousand letters each, of words as common and as rare as a language has them."""

from itertools import accumulate
from pathlib import Path
from random import Random

WORDS = 60_000
LONG = 150  #: words in a note
_FIRST, _MIDDLE, _LAST = "bcdfghjklmnprstvwz", "aeiou", ("", "", "", "n", "r", "s", "l", "t")


def vocabulary(rng: Random) -> list[str]:
    """Return words, the commonest first."""
    syllables = [first + middle + last for first in _FIRST for middle in _MIDDLE for last in _LAST]
    words: set[str] = set()
    while len(words) < WORDS:
        words.add("".join(rng.choice(syllables) for _ in range(rng.randint(1, 4))))
    ordered = sorted(words)
    rng.shuffle(ordered)
    return ordered


def write_notes(folder: Path, count: int) -> list[str]:
    """Write so many files of one note each, 1,000 to a folder; return what stands in some of them."""
    rng = Random(7)
    words = vocabulary(rng)
    weights = list(accumulate(1 / (place + 3) for place in range(WORDS)))  # Zipf's law
    some: list[str] = []
    for number in range(count):
        text = " ".join(rng.choices(words, cum_weights=weights, k=LONG))[:1_000]
        place = folder / "topics" / f"{number // 1_000:03}" / f"n{number:06}.md"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{text}\n", encoding="utf-8")
        if number % max(count // 400, 1) == 0:
            some.append(text)
    return some
