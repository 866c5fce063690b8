"""The slash command /why: what became of a message of this place.

Promises that a place is told of its own sessions only: to know an id opens nothing. Knows no platform.
"""

from collections.abc import Callable, Mapping

from picklebot.core.source import Source
from picklebot.errors import NotFound
from picklebot.store.links import Chains
from picklebot.workers.commands import Command
from picklebot.workers.tree import draw
from picklebot.workers.why import tell
from picklebot.workers.why_words import Surroundings


class WhyCommand:
    """Answers /why."""

    def __init__(self, *, chains: Chains, around: Callable[[], Surroundings]) -> None:
        self._chains = chains
        self._around = around

    def table(self) -> Mapping[str, Command]:
        """Return the command by its name."""
        return {"why": Command("why", "[EVENT]", "What became of the last message, or of another one.", self._why)}

    async def _why(self, source: Source, argument: str) -> str:
        event_id = argument or await self._chains.latest(source)
        if event_id is None:
            raise NotFound("there is no message here yet: say something first")
        lines = draw(tell(await self._chains.chain(event_id, of=source), self._around()))
        # What was said may hold a fence of its own, which would end this one.
        return "\n".join(["```", *(line.replace("```", "'''") for line in lines), "```"])
