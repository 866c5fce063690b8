"""A turn that adds nothing to its conversation, but makes it shorter, because the user says so.

Promises to end like any turn, within its seconds and its money. Knows no store and no channel.
"""

import asyncio
from collections.abc import Sequence

from picklebot.agent.making_room import RoomMaker
from picklebot.agent.runner import INTERRUPTED, Ending, TurnLimits
from picklebot.core.journal import RecordedStep
from picklebot.errors import LimitReached, ModelError

DONE = "I made our conversation shorter to leave room. The whole of it is kept."
NOTHING = "There is nothing to make shorter yet: what was said last always stays as it is."


class CompactRunner:
    """Makes one conversation shorter, once. `keep` is what the user wants kept above all."""

    def __init__(self, maker: RoomMaker, *, limit: float, keep: str) -> None:
        self._maker = maker
        self._limit = limit
        self._keep = keep

    async def run(self, limits: TurnLimits, recorded: Sequence[RecordedStep] = ()) -> Ending:
        """Put away the older part, going on from what is already recorded.

        Raises:
            Parked: the endpoint asks to come back later, or a day's budget is used up.
        """
        try:
            async with asyncio.timeout(limits.seconds):
                resumed = await self._maker.resume((), self._limit)
                told = DONE if resumed else await self._maker.make((), self._limit, why="asked", keep=self._keep)
        except TimeoutError:
            return self._failed(LimitReached(f"it took longer than {limits.seconds:.0f} seconds"))
        except (LimitReached, ModelError) as exc:
            return self._failed(exc)
        return Ending(outcome="done", text=told or NOTHING, messages=())

    async def recall(self, recorded: Sequence[RecordedStep]) -> None:
        """Have nothing to take up."""

    def stop(self) -> Ending:
        """End because the user said so."""
        return Ending(outcome="stopped", text="Stopped.", messages=())

    def yield_to_next(self) -> Ending:
        """End because the user has said something else."""
        return Ending(outcome="stopped", text=f"{INTERRUPTED}.", messages=(), kind="Interrupted")

    def _failed(self, error: LimitReached | ModelError) -> Ending:
        words = f"I could not make our conversation shorter: {error}."
        return Ending(outcome="failed", text=words, messages=(), error=str(error), kind=type(error).__name__)
