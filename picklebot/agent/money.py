"""What one turn costs: its own ceiling, and its part of the day's.

Promises that a call is made only if its worst case fits both. Knows prices only through a function.
"""

from collections.abc import Callable
from typing import TypeAlias

from picklebot.agent.budget import DayBudget
from picklebot.core.replies import ModelReply, Usage
from picklebot.errors import LimitReached
from picklebot.models.base import ModelRequest

Price: TypeAlias = Callable[[str, Usage], float | None]
_CHARS_PER_TOKEN = 3.6  #: measured on English and code; only for worst-case estimates


class Money:
    """What one turn has cost, and its part of the day's budget."""

    def __init__(self, *, day: DayBudget, price: Price, model: str, known: tuple[int, int] = (0, 0)) -> None:
        """`known` is how many messages of the conversation are measured already, and their characters."""
        self._known, self._known_size = known
        self._day = day
        self._price = price
        self._model = model
        self.spent = 0.0

    def count(self, cost: float | None) -> None:
        """Count a step that was paid for before a restart."""
        self.spent += cost or 0.0

    def reserved(self, request: ModelRequest, ceiling: float) -> "_Reservation":
        """Set aside the worst case of one call.

        Raises:
            LimitReached: it might pass the turn's ceiling, or the day's.
        """
        added = request.messages[self._known :]
        size = len(request.system) + self._known_size + sum(len(message.to_json()) for message in added)
        worst_usage = Usage(input_tokens=int(size / _CHARS_PER_TOKEN), output_tokens=request.max_tokens)
        worst = self._price(self._model, worst_usage) or 0.0
        if self.spent + worst > ceiling:
            raise LimitReached(
                f"its next step could pass the turn's budget of ${ceiling:.2f} (${self.spent:.2f} spent)"
            )
        self._day.reserve(worst)
        return _Reservation(self, self._day, worst, self._price)


class _Reservation:
    def __init__(self, money: Money, day: DayBudget, worst: float, price: Price) -> None:
        self._money = money
        self._day = day
        self._worst = worst
        self._price = price
        self._actual = 0.0

    def __enter__(self) -> Callable[[ModelReply], float | None]:
        return self._settle

    def __exit__(self, *exc: object) -> None:
        self._day.settle(self._worst, self._actual)

    def _settle(self, reply: ModelReply) -> float | None:
        cost = self._price(reply.model, reply.usage)
        self._actual = cost or 0.0
        self._money.spent += self._actual
        return cost
