"""What to show no longer, when a conversation grows too long: pure.

Promises that big old results go first, that a cut never parts a call from its result, and that the end of the
conversation stays as it is for as long as there is anything else to give. Knows no model and no words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from picklebot.agent.view import cuts, text_of
from picklebot.core.messages import Block, Message

BIG = 2_000  #: characters from which on a result counts as big
SHOWN = 300  #: of a big old result that stay
SHOWN_AT_LAST = 1_000  #: of a big recent result that stay, where nothing else can go
EASE = 0.75  #: of the limit, down to which room is made: not to the brim, or the next step would be too much again
RECENT = 20_000  #: tokens of the end of a conversation that stay as they are
RECENT_SHARE = 0.4  #: of the limit, where that is less
ASKED_SHARE = 0.3  #: of a conversation that the user wants shorter
WORTH = 1_000  #: tokens that must be put away for a record of them to be worth its while, where the user asks
CHARACTERS = 3.5  #: of a token, where only characters can be counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to show no longer: everything before `cut` (0: nothing), and most of the results in `trimmed`."""

    cut: int = 0
    trimmed: Mapping[str, int] = field(default_factory=dict[str, int])


def plan(
    shown: Sequence[Message],
    sizes: Sequence[float],
    *,
    fixed: float,
    limit: float,
    trimmed: Mapping[str, int],
    covering: bool = False,
) -> Plan | None:
    """Return what to leave out of `shown`, so that it takes less than `limit` tokens; None if nothing can be.

    `sizes` are the tokens of each message and `fixed` those of what is always there. With `covering`, the older part is
    to be covered even where trimming would do.
    """
    goal = max(limit * EASE - fixed, 0.0)
    stays = min(RECENT, limit * RECENT_SHARE)
    recent = _recent(sizes, min(stays, sum(sizes) * ASKED_SHARE) if covering else stays)
    old = _big(shown[:recent], trimmed, keep=SHOWN)
    if old and not covering and sum(sizes) - _saved(old) <= goal:
        return Plan(trimmed=_kept(old, SHOWN))
    cut = _cut(shown, recent) if recent else 0
    if cut and not (covering and sum(sizes[:cut]) < WORTH):
        return Plan(cut=cut)
    last = [] if covering else _big(shown, trimmed, keep=SHOWN_AT_LAST)
    return Plan(trimmed=_kept(last, SHOWN_AT_LAST)) if last else None


def _recent(sizes: Sequence[float], room: float) -> int:
    """Return the index from which on everything fits into `room`."""
    at = len(sizes)
    while at and (room := room - sizes[at - 1]) >= 0:
        at -= 1
    return at


def _cut(shown: Sequence[Message], recent: int) -> int:
    """Return where the part begins that stays: at the first place that is recent, else at the last there is."""
    places = cuts(shown)
    late = [place for place in places if place >= recent]
    return late[0] if late else places[-1] if places else 0


def _big(messages: Sequence[Message], trimmed: Mapping[str, int], *, keep: int) -> list[tuple[str, int]]:
    """Return (call id, characters) of the results that would be worth cutting to `keep`."""
    results = [block for message in messages for block in message.blocks if block.get("type") == "tool_result"]
    found = [(str(block.get("tool_use_id")), _length(block)) for block in results]
    return [(call, length) for call, length in found if length > BIG and trimmed.get(call, keep + 1) > keep]


def _length(result: Block) -> int:
    return len(text_of(result))


def _saved(results: Sequence[tuple[str, int]]) -> float:
    return sum(length - SHOWN for _, length in results) / CHARACTERS


def _kept(results: Sequence[tuple[str, int]], keep: int) -> dict[str, int]:
    return {call: keep for call, _ in results}
