"""One list out of several: reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009), with recency.

Pure. Promises that what stands high in any list stands high in the result, whatever the lists' scores mean.
"""

from collections.abc import Hashable, Mapping
from typing import TypeVar

K = 20  #: the smaller, the more the first places of each list count; the paper's 60 is for lists of a thousand
RECENCY = 0.1  #: how much more, at most, a note counts because it is new: it decides between near equals

Item = TypeVar("Item", bound=Hashable)


def fuse(
    lists: Mapping[str, Mapping[Item, float]], ages: Mapping[Item, float]
) -> list[tuple[Item, float, dict[str, int]]]:
    """Return every item of `lists` with its score and its place in each list, best first.

    Each list gives its items in order, and what a place in it is worth to each, up to 1: a note that holds one word of
    five is no match for one that means the same. `ages` gives each item's age; the younger stands higher in a list of
    its own, whose first place adds `RECENCY` to what an item has.
    """
    places: dict[Item, dict[str, int]] = {}
    scores: dict[Item, float] = {}
    for name, items in lists.items():
        for place, (item, worth) in enumerate(items.items(), start=1):
            places.setdefault(item, {})[name] = place
            scores[item] = scores.get(item, 0.0) + worth / (K + place)
    order = {item: n for n, item in enumerate(places)}
    for place, item in enumerate(sorted(places, key=lambda item: (ages[item], order[item])), start=1):
        places[item]["recency"] = place
        scores[item] *= 1 + RECENCY * (K + 1) / (K + place)
    found = [(item, scores[item], places[item]) for item in order]
    return sorted(found, key=lambda each: (-each[1], ages[each[0]], order[each[0]]))
