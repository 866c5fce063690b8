"""One turn, from its opening to its end in the store.

Promises that a turn that was begun ends in one of four ways, each one transaction: finished with a reply, parked
until later, set aside, or put back because the daemon stops. Knows no queue and no slot.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from picklebot.agent.asking import Parked
from picklebot.agent.budget import DaySpent
from picklebot.agent.runner import Ending
from picklebot.clock import Clock
from picklebot.core.bus import EventBus
from picklebot.core.events import (
    Notice,
    OutboundEvent,
    Outcome,
    TurnFinished,
    TurnStarted,
)
from picklebot.core.messages import Message
from picklebot.errors import PicklebotError, StoreError
from picklebot.store.base import Conclusion, Inbox, Refusal, Turn, Turns
from picklebot.workers.casting import Casting
from picklebot.workers.transcripts import Transcripts
from picklebot.workers.turn_notes import TurnJournal, TurnListener, about

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3  #: a message whose turn began this often and never ended is taken for poison


@dataclass(frozen=True, slots=True)
class Taken:
    """How a turn ended, and whether its session may have more to take."""

    outcome: Outcome
    more: bool


class TurnTaker:
    """Takes one turn at a time per session; the caller sees to that."""

    def __init__(
        self, *, bus: EventBus, inbox: Inbox, turns: Turns, transcripts: Transcripts, casting: Casting, clock: Clock
    ) -> None:
        self._bus = bus
        self._inbox = inbox
        self._turns = turns
        self._transcripts = transcripts
        self._casting = casting
        self._clock = clock
        self._running: dict[str, asyncio.Task[Ending]] = {}
        self._stopped: set[str] = set()

    def stop(self, session_id: str) -> bool:
        """End the session's running turn, as its user wishes; return whether there was one."""
        if task := self._running.get(session_id):
            self._stopped.add(session_id)
            task.cancel()
        return task is not None

    def running(self, session_id: str) -> bool:
        """Return whether the session has a turn in hand."""
        return session_id in self._running

    async def take(self, turn: Turn) -> "Taken":
        """Answer `turn`, put the end of it on disk, and return which end it was.

        A cancelled turn is put back, unless the user stopped it.
        """
        event = turn.event
        if turn.attempts > MAX_ATTEMPTS:
            await self._set_aside(turn)
            return Taken("failed", more=True)
        if self._bus.wanted(TurnStarted):
            await self._bus.publish(TurnStarted(**about(turn), agent_id=event.agent_id))
        try:
            ending = await self._play(turn)
        except Parked as exc:
            await self._park(turn, exc)
            return Taken("parked", more=True)
        except asyncio.CancelledError:
            await self._inbox.release(turn)
            raise
        except StoreError:
            raise  # the daemon cannot keep its promises: it stops, and this turn goes on after the restart
        except PicklebotError as exc:
            ending = _failure(turn, str(exc), type(exc).__name__)
        except Exception as exc:  # a bug in one turn must not take the others down
            logger.exception("turn crashed", extra={"event": event.id, "session": event.session_id})
            words = f"{type(exc).__name__} inside picklebot; the log has the details"
            ending = _failure(turn, words, type(exc).__name__)
        return Taken(ending.outcome, more=await self._finish(turn, ending))

    async def _play(self, turn: Turn) -> Ending:
        session_id = turn.event.session_id
        conversation = await self._transcripts.get(session_id)
        journal = TurnJournal(self._turns, turn, self._clock)
        runner, limits = await self._casting.cast(turn, conversation, journal, TurnListener(self._bus, turn))
        # A task of its own, so that the user can stop the play without stopping what writes its end down.
        task = asyncio.create_task(runner.run(limits, turn.steps), name=f"turn {turn.id}")
        self._running[session_id] = task
        try:
            return await task
        except asyncio.CancelledError:
            if session_id not in self._stopped:
                raise
            return runner.stop()
        finally:
            del self._running[session_id]
            self._stopped.discard(session_id)

    async def _finish(self, turn: Turn, ending: Ending) -> bool:
        replies = await self._casting.replies(turn.event, ending.text, error=ending.error)
        more = await self._turns.finish(
            Conclusion(
                turn=turn,
                outcome=ending.outcome,
                messages=ending.messages,
                outbound=replies,
                at=self._clock.now(),
                error=ending.error,
                last=ending.last,
            )
        )
        self._transcripts.append(turn.event.session_id, ending.messages)
        await self._announce(turn, replies, _finished(turn, ending.outcome, ending.error, ending.kind))
        return more

    async def _park(self, turn: Turn, parked: Parked) -> None:
        """Defer the turn; the user is told the first time only, and of a refused budget once for each day."""
        spent = parked if isinstance(parked, DaySpent) else None
        replies = (await self._casting.replies(turn.event, parked.notice))[:1] if spent or not turn.parked else []
        told = await self._inbox.defer(
            turn,
            until=parked.until,
            why=str(parked),
            notice=replies[0] if replies else None,
            refusal=Refusal(budget=spent.budget, tag=spent.tag) if spent else None,
        )
        logger.warning("turn parked until %s: %s", parked.until, parked, extra={"event": turn.id})
        await self._announce(
            turn,
            replies if told else [],
            _finished(turn, "parked", str(parked), type(parked).__name__),
        )

    async def _set_aside(self, turn: Turn) -> None:
        error = f"its turn was begun {turn.attempts - 1} times and never ended"
        words = f"I have set this message aside: {error}. Please ask in another way."
        replies = await self._casting.replies(turn.event, words, error=error)
        await self._inbox.bury(turn, error=error, notice=replies[0] if replies else None)
        logger.error("message set aside: %s", error, extra={"event": turn.id})
        await self._announce(turn, replies[:1], _finished(turn, "failed", error, "Poison"))

    async def _announce(self, turn: Turn, replies: Sequence[OutboundEvent], finished: Notice) -> None:
        for reply in replies:
            await self._bus.publish(reply)
        await self._bus.publish(finished)


def _failure(turn: Turn, error: str, kind: str) -> Ending:
    words = f"I could not finish: {error}."
    opening = turn.opening or Message.user(turn.event.content)
    messages = [opening, Message.assistant(f"[{words}]")]
    return Ending(outcome="failed", text=words, error=error, kind=kind, messages=messages)


def _finished(turn: Turn, outcome: Outcome, error: str | None, kind: str) -> TurnFinished:
    return TurnFinished(**about(turn), agent_id=turn.event.agent_id, outcome=outcome, error=error, kind=kind)
