"""A server of further tools, as the rest sees it. Knows no SDK."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from picklebot.errors import PicklebotError
from picklebot.mcp.pins import Offer


class ServerTrouble(PicklebotError):
    """A server cannot be spoken to; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server: a program to start, with its environment, or an address with its token. `timeout`: seconds for a call.

    `ask`: what it offers when it is first seen waits for its owner's word.
    """

    name: str
    command: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    folder: Path | None = None
    url: str | None = None
    token: str | None = field(default=None, repr=False)
    timeout: float = 30.0
    ask: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a call: blocks of the Messages API."""

    blocks: Sequence[Mapping[str, Any]]
    is_error: bool = False


class Dialled(Protocol):
    """A live connection."""

    async def offers(self) -> Sequence[Offer]:
        """Return the tools that the server has. ServerTrouble: it does not say."""
        ...

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> Answer:
        """Run a tool. ServerTrouble: nobody knows what came of it."""
        ...


class Dial(Protocol):
    """Connects to a server for as long as the block lasts; entered and left in one task."""

    def __call__(self, target: Target) -> AbstractAsyncContextManager[Dialled]:
        """Connect. ServerTrouble: it cannot be reached, or the connection broke."""
        ...
