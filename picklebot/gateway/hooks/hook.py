"""A webhook, as the daemon knows it: a value."""

from dataclasses import dataclass, field

from picklebot.settings.edges import SignatureStyle
from picklebot.settings.templates import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A webhook. `agent` None leaves it to the routing; `fresh`: each delivery has a session of its own."""

    name: str
    secret: str = field(repr=False)
    style: SignatureStyle
    template: Template
    agent: str | None
    deliver: str
    fresh: bool
    max_bytes: int
    window: float
