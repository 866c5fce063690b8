"""How much of a conversation a model is shown. Knows nothing of how it is made shorter."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from picklebot.settings.values import Section


class ContextSettings(Section):
    """How much of a conversation a model is shown, and when it is made shorter."""

    window: int | None = Field(
        default=None,
        ge=2_000,
        le=100_000_000,
        description="Tokens that the model can read and write in one call; null means what picklebot knows of it.",
    )
    windows: Mapping[str, Annotated[int, Field(ge=2_000, le=100_000_000)]] = Field(
        default_factory=dict[str, int], description="The same for models by name, before `window`."
    )
    compact_at: float = Field(
        default=0.8,
        ge=0.2,
        le=0.95,
        description="Share of the window from which on a conversation is made shorter, less the room for the reply.",
    )
