"""How many tokens a conversation takes: what the model counted last, and an estimate of what came since.

The estimate is calibrated: what a model counted for so much text says what it will count for a little more. Pure.
"""

from dataclasses import dataclass

from picklebot.core.replies import Usage

UNMEASURED = 0.6  #: tokens for each unit of weight, before a model has counted any
_LEAST, _MOST = 0.3, 1.2  # no text takes less or more; a server that counts otherwise counts something else


@dataclass(slots=True)
class Meter:
    """The measure of one conversation. Weight is what `picklebot.agent.money.weigh` says: an upper bound of tokens."""

    tokens: float = 0.0
    weight: float = 0.0
    ratio: float = UNMEASURED

    def place(self, weight: float) -> None:
        """Say what it weighed when it was counted last, where only the tokens are known."""
        if self.tokens and not self.weight and weight:
            self.weight, self.ratio = weight, min(max(self.tokens / weight, _LEAST), _MOST)

    def estimate(self, weight: float) -> float:
        """Return how many tokens a request of that weight takes."""
        return max(self.tokens + self.ratio * (weight - self.weight), 0.0)

    def met(self, usage: Usage, weight: float, reply: float) -> None:
        """Take what a model counted for a request of that weight, and its reply, which is part of the next one."""
        if not usage.context_tokens or not weight:
            return  # some servers count nothing
        self.ratio = min(max(usage.context_tokens / weight, _LEAST), _MOST)
        self.tokens = float(usage.context_tokens + usage.output_tokens)
        self.weight = weight + reply

    def refused(self, least: float, weight: float) -> None:
        """Take that a request of that weight takes `least` tokens or more."""
        if self.estimate(weight) < least and weight:
            self.tokens, self.weight, self.ratio = least, weight, max(self.ratio, min(least / weight, _MOST))
