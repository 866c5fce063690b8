"""Which words are meant by a word: its other forms, longer words with it inside, and what was mistyped.

Pure; knows no language. The rules are the ones that most languages with letters share: endings change, compounds are
written as one word, fingers slip.
"""

_ENDING = 3  #: letters that may differ at the end of two forms of one word
_STEM = 3  #: letters that they must share


def is_form(word: str, other: str) -> bool:
    """Return whether two words differ only in their endings: allergy and allergies, Katze and Katzen."""
    shared = 0
    for mine, its in zip(word, other, strict=False):
        if mine != its:
            break
        shared += 1
    longest = max(len(word), len(other))
    return shared >= _STEM and longest - shared <= _ENDING and shared * 2 > longest


def slips(word: str) -> int:
    """Return how many slips of the finger a word of this length may hold."""
    return 0 if len(word) < 4 else 1 if len(word) < 8 else 2


def distance(word: str, other: str, most: int) -> int:
    """Return how many letters were left out, added, mistaken or swapped with their neighbour; `most` + 1 for more."""
    far, width = most + 1, len(other)
    if abs(len(word) - width) > most:
        return far
    before: list[int] = []
    row = [min(column, far) for column in range(width + 1)]
    for place, letter in enumerate(word, start=1):
        last, before, row = before, row, [far] * (width + 1)
        row[0] = min(place, far)
        least = row[0]
        # A place that is farther off than `most` cannot be reached with so few slips.
        for column in range(max(1, place - most), min(width, place + most) + 1):
            its = other[column - 1]
            cost = before[column - 1] + (letter != its)
            if before[column] < cost:
                cost = min(cost, before[column] + 1)
            if row[column - 1] < cost:
                cost = min(cost, row[column - 1] + 1)
            if place > 1 and column > 1 and letter == other[column - 2] and word[place - 2] == its:
                cost = min(cost, last[column - 2] + 1)
            row[column] = cost
            least = min(least, cost)
        if least > most:
            return far
    return min(row[-1], far)


def splits(word: str, least: int = 4) -> list[str]:
    """Return the beginnings and the ends of a long word that may be words themselves, the longest first."""
    if len(word) < 2 * least:
        return []
    sizes = range(len(word) - least, least - 1, -1)
    return [part for size in sizes for part in (word[:size], word[-size:])]
