"""What a model is called in full, and what a call to it costs in US dollars.

Promises None, and never zero, for a model whose price is not known. Knows the list prices of one vendor on one day:
no discounts, batches, server tools or one-hour cache writes.
Source: https://platform.claude.com/docs/en/about-claude/pricing
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from picklebot.models.base import Usage

PRICES_AS_OF = date(2026, 10, 24)
CACHE_WRITE = 1.25  #: times the input price, for five minutes
CACHE_READ = 0.1  #: times the input price, where a model has no other share
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars for a million tokens; reading from the cache costs `cache_read` times the input price."""

    input: float
    output: float
    cache_read: float = CACHE_READ


PRICES = {
    "claude-fable-5-1": Price(10, 50, 0.025),
    "claude-mythos-5-1": Price(10, 50, 0.025),
    "claude-fable-5": Price(10, 50),
    "claude-mythos-5": Price(10, 50),
    "claude-opus-5-5": Price(4, 20, 0.05),
    "claude-opus-5": Price(5, 25),
    "claude-opus-4-8": Price(5, 25),
    "claude-opus-4-7": Price(5, 25),
    "claude-opus-4-6": Price(5, 25),
    "claude-opus-4-5": Price(5, 25),
    "claude-sonnet-5-5": Price(2, 10, 0.05),
    "claude-sonnet-5": Price(2, 10),
    "claude-sonnet-4-6": Price(3, 15),
    "claude-sonnet-4-5": Price(3, 15),
    "claude-haiku-5-5": Price(0.1, 0.5),
    "claude-haiku-4-5": Price(1, 5),
    "offline": Price(0, 0),
}
LONG_PROMPTS = {"claude-haiku-5-5": (100_000, Price(0.5, 2.5))}  #: above so many tokens, all of the call costs this
ALIASES = {
    "fable": "claude-fable-5-1",
    "opus": "claude-opus-5-5",
    "sonnet": "claude-sonnet-5-5",
    "haiku": "claude-haiku-5-5",
}

# A gateway's prefix before, a release date or the long-context mark behind: still the same model.
_DECORATION = re.compile(r"^anthropic[/.]|[-@]\d{8}$|\[1m\]$|-latest$")


def resolve_alias(name: str) -> str:
    """Return the full name of a model that is called by its line, like `haiku`; any other name as it is."""
    return ALIASES.get(name.strip().lower(), name)


def price_of(model: str, context_tokens: int = 0, own: Mapping[str, Price] | None = None) -> Price | None:
    """Return the price of `model` for a prompt of that length; None if it is not known. `own` prices come first.

    A newer version is another model: `claude-fable-5-2` does not cost what `claude-fable-5` does.
    """
    plain = plain_name(model)
    if own and plain in own:
        return own[plain]
    threshold, price = LONG_PROMPTS.get(plain, (0, None))
    return price if price and context_tokens > threshold else PRICES.get(plain)


def own_price(name: str, *, input_usd: float, output_usd: float, cache_read_usd: float | None) -> tuple[str, Price]:
    """Return an entry of a price list of one's own."""
    share = cache_read_usd / input_usd if cache_read_usd is not None and input_usd else CACHE_READ
    return plain_name(resolve_alias(name)), Price(input_usd, output_usd, share)


@lru_cache(maxsize=1024)
def plain_name(model: str) -> str:
    """Return a model's name without what gateways and releases add to it."""
    return _DECORATION.sub("", _DECORATION.sub("", model.strip().lower())).replace(".", "-")


def cost(model: str, usage: Usage, own: Mapping[str, Price] | None = None) -> float | None:
    """Return what a call to `model` cost; None if its price is not known."""
    price = price_of(model, usage.context_tokens, own)
    if price is None:
        return None
    reading = usage.input_tokens + CACHE_WRITE * usage.cache_write_tokens + price.cache_read * usage.cache_read_tokens
    return (price.input * reading + price.output * usage.output_tokens) / MILLION
