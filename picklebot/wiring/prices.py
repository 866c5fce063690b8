"""What models cost and how much they can read, by the settings and by the lists that picklebot brings. Knows no call."""

from functools import partial

from picklebot.agent.money import Price
from picklebot.config import Config
from picklebot.models import pricing
from picklebot.models.windows import window_of


def price_list(config: Config) -> Price:
    """Return the function that prices a call."""
    own = dict(
        pricing.own_price(name, input_usd=price.input, output_usd=price.output, cache_read_usd=price.cache_read)
        for name, price in config.model.prices.items()
    )
    return partial(pricing.cost, own=own)


def window_for(config: Config, name: str) -> int | None:
    """Return how many tokens a model can read and write in one call; None if that is not known."""
    settings = config.context
    return window_of(name, settings.windows, otherwise=settings.window)


def unpriced_words(config: Config, name: str) -> str:
    """Return what follows from a model that sends bills of an unknown height."""
    if config.limits.unpriced == "refuse":
        return (
            f"the price of {name!r} is not known, so no budget could hold it and it is not asked: "
            "write it under model.prices, or set limits.unpriced to allow"
        )
    return f"the price of {name!r} is not known: no budget in dollars holds it, only steps and seconds do"
