"""A turn in hand, which others may cut short.

Promises that a cut ends the play and nothing else: what was said and done so far is in the ending. Knows no store.
"""

import asyncio
from collections.abc import Sequence
from typing import Literal, Protocol

from picklebot.agent.runner import Ending, TurnLimits
from picklebot.core.journal import RecordedStep
from picklebot.store.base import Turn
from picklebot.workers.company import UNATTENDED, Company, Queue


class Runner(Protocol):
    """Plays one turn, once."""

    async def run(self, limits: TurnLimits, recorded: Sequence[RecordedStep] = ()) -> Ending:
        """Answer, going on from the steps that are already recorded."""
        ...

    async def recall(self, recorded: Sequence[RecordedStep]) -> None:
        """Take up what was recorded, for a turn that is to end before it goes on."""
        ...

    def stop(self) -> Ending:
        """End because the user said so."""
        ...

    def yield_to_next(self) -> Ending:
        """End because the user has said something else."""
        ...


class Playing:
    """A turn in hand, and who cut it short, if anybody did."""

    def __init__(self, turn: Turn, queue: Queue) -> None:
        self.turn = turn
        # What nobody sits at is not stopped by the next of its kind, and nobody talks into it.
        self.queue: Queue = "followup" if turn.event.source.channel in UNATTENDED else queue
        self.company = Company(turn)
        self.cut_by: Literal["user", "message"] | None = None
        self._task: asyncio.Task[Ending] | None = None

    def cut(self, by: Literal["user", "message"]) -> None:
        """End the play, so that what writes its end down can go on."""
        if self.cut_by is None:
            self.cut_by = by
            if self._task is not None:
                self._task.cancel()

    async def play(self, runner: Runner, limits: TurnLimits) -> Ending:
        """Run until the end, whoever makes it."""
        if self._was_cut():
            await runner.recall(self.turn.steps)
        else:
            # A task of its own, so that it can be cut without stopping what writes its end down.
            self._task = asyncio.create_task(runner.run(limits, self.turn.steps), name=f"turn {self.turn.id}")
            try:
                return await self._task
            except asyncio.CancelledError:
                if not self._was_cut():
                    raise
        return runner.stop() if self.cut_by == "user" else runner.yield_to_next()

    def _was_cut(self) -> bool:
        return self.cut_by is not None
