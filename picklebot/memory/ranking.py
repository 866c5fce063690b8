"""One list out of several: reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009), with recency.

Pure. Promises that what stands high in any list stands high in the result, whatever the lists' scores mean.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

K = 20  #: the smaller, the more the first places of each list count; the paper's 60 is for lists of a thousand
RECENCY = 0.15  #: what the list by age counts, beside 1 for each of the others: it decides between near equals

Item = TypeVar("Item", bound=Hashable)


def fuse(lists: Mapping[str, Sequence[Item]], ages: Mapping[Item, float]) -> list[tuple[Item, float, dict[str, int]]]:
    """Return every item of `lists` with its score and its place in each list, best first.

    `ages` gives each item's age; the younger stands higher in a list of its own, which counts `RECENCY`.
    """
    places: dict[Item, dict[str, int]] = {}
    for name, items in lists.items():
        for place, item in enumerate(items, start=1):
            places.setdefault(item, {})[name] = place
    order = {item: n for n, item in enumerate(places)}
    for place, item in enumerate(sorted(places, key=lambda item: (ages[item], order[item])), start=1):
        places[item]["recency"] = place
    scored = [
        (item, sum(_share(name, place) for name, place in found.items()), found) for item, found in places.items()
    ]
    return sorted(scored, key=lambda each: (-each[1], ages[each[0]], order[each[0]]))


def _share(name: str, place: int) -> float:
    return (RECENCY if name == "recency" else 1.0) / (K + place)
