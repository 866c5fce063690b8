"""One turn, from its opening to its end in the store.

Promises that a turn that was begun ends in one of four ways, each one transaction: finished with a reply, parked
until later, set aside, or put back because the daemon stops. Knows no queue and no slot.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from picklebot.agent.asking import Parked
from picklebot.agent.budget import Withheld
from picklebot.agent.calls import PutBack
from picklebot.agent.runner import Ending
from picklebot.clock import Clock
from picklebot.core.bus import EventBus
from picklebot.core.events import (
    DispatchEvent,
    InboundEvent,
    Notice,
    Outcome,
    Reply,
    TurnEvent,
    TurnFinished,
    TurnStarted,
)
from picklebot.core.messages import Message
from picklebot.errors import PicklebotError, StoreError
from picklebot.store.base import POISON, Conclusion, Inbox, Joining, Refusal, Turn, Turns
from picklebot.workers.casting import Casting
from picklebot.workers.company import UNATTENDED, Company
from picklebot.workers.playing import Playing
from picklebot.workers.transcripts import Transcripts
from picklebot.workers.turn_notes import TurnJournal, TurnListener, about

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3  #: a message whose turn began this often and never ended is taken for poison


@dataclass(frozen=True, slots=True)
class Taken:
    """How a turn ended (None: it was put back), and whether its session may have more to take."""

    outcome: Outcome | None
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
        self._family = casting.family
        self._clock = clock
        self._playing: dict[str, Playing] = {}
        self._called_off: dict[str, frozenset[int]] = {}  # by session: what may be in hand since before it was known

    def stop(self, session_id: str) -> bool:
        """End the session's running turn, as its user wishes; return whether there was one."""
        if playing := self._playing.get(session_id):
            playing.cut("user")
        return playing is not None

    async def call_off(self, session_id: str) -> bool:
        """End the session's running turn, or what waits there if none runs; return whether there was something to end.

        What waits is begun as soon as it can be, and ends at once. Where the next message interrupts the turn that runs,
        it is meant as well: to its user it runs already.
        """
        playing = self._playing.get(session_id)
        if playing is not None and playing.queue != "interrupt":
            return self.stop(session_id)
        source = playing.turn.event.source if playing is not None else None  # others do not interrupt it, and wait
        if (called_off := await self._inbox.call_off(session_id, source)) is None:
            return False
        self._called_off[session_id] = called_off.seqs
        if (playing := self._playing.get(session_id)) is not None:
            self._cut_called_off(playing)
        await self._bus.publish(called_off.oldest)
        return True

    def _cut_called_off(self, playing: Playing) -> None:
        known = self._called_off.pop(playing.turn.event.session_id, frozenset())
        if playing.turn.called_off or playing.turn.seq in known:
            playing.cut("user")

    def running(self, session_id: str) -> bool:
        """Return whether the session has a turn in hand."""
        return session_id in self._playing

    def answering(self, session_id: str) -> str | None:
        """Return the id of the message whose turn a session has in hand, if it has one."""
        playing = self._playing.get(session_id)
        return playing.turn.id if playing is not None else None

    def interruptible(self, event: InboundEvent) -> bool:
        """Return whether `event` may have come to interrupt a turn: one of the same source, whose agent wants that."""
        playing = self._playing.get(event.session_id)
        if playing is None or playing.queue != "interrupt":
            return False
        return playing.turn.event.source == event.source and playing.turn.id != event.id

    async def interrupt(self, session_id: str) -> None:
        """Cut the session's turn short, if something newer from its source waits."""
        playing = self._playing.get(session_id)
        # Asked of the table, because the bell may be that of a message which was answered long ago.
        if playing is not None and await self._inbox.overtaken(playing.turn):
            playing.cut("message")

    def collecting(self, agent_id: str) -> Joining | None:
        """Return what may join the opening of an agent's turns, if anything may."""
        return self._casting.joining if self._casting.queue(agent_id) == "collect" else None

    async def take(self, turn: Turn) -> "Taken":
        """Answer `turn`, put the end of it on disk, and return which end it was.

        A cancelled turn is put back, unless the user stopped it.
        """
        event = turn.event
        if turn.attempts > MAX_ATTEMPTS:
            await self._set_aside(turn)
            return Taken("failed", more=True)
        playing = Playing(turn, self._casting.queue(event.agent_id))
        if self._bus.wanted(TurnStarted):
            await self._bus.publish(TurnStarted(**about(turn), agent_id=event.agent_id))
        try:
            ending = await self._play(playing)
        except Parked as exc:
            await self._park(playing, exc)
            return Taken("parked", more=True)
        except PutBack:
            await self._put_back(turn)
            return Taken(None, more=False)
        except asyncio.CancelledError:
            await self._inbox.release(turn)
            raise
        except StoreError:
            raise  # the daemon cannot keep its promises: it stops, and this turn goes on after the restart
        except PicklebotError as exc:
            ending = _failure(playing, str(exc), type(exc).__name__)
        except Exception as exc:  # a bug in one turn must not take the others down
            logger.exception("turn crashed", extra={"event": event.id, "session": event.session_id})
            words = f"{type(exc).__name__} inside picklebot; the log has the details"
            ending = _failure(playing, words, type(exc).__name__)
        finally:
            self._family.leave(turn.id)
        return Taken(ending.outcome, more=await self._finish(playing, ending))

    async def _play(self, playing: Playing) -> Ending:
        turn, session_id = playing.turn, playing.turn.event.session_id
        if not turn.called_off:
            await self._casting.loops.admit(turn.event)
        self._playing[session_id] = playing
        try:
            self._cut_called_off(playing)
            if playing.queue == "interrupt":  # by what came before this turn was in hand; for the rest a bell rings
                await self.interrupt(session_id)
            conversation = await self._transcripts.get(session_id, begun=bool(turn.steps))
            joining = self._casting.joining if playing.queue == "steer" and not turn.alone else None
            journal = TurnJournal(self._turns, turn, self._clock, playing.company, joining)
            runner, limits = await self._casting.cast(turn, conversation, journal, TurnListener(self._bus, turn))
            return await playing.play(runner, limits)
        finally:
            del self._playing[session_id]

    async def _finish(self, playing: Playing, ending: Ending) -> bool:
        turn, company = playing.turn, playing.company
        interrupted = ending.kind == "Interrupted"
        replies = [] if interrupted else await self._replies(company, ending)
        more = await self._turns.finish(
            Conclusion(
                turn=turn,
                outcome=ending.outcome,
                messages=ending.messages,
                outbound=replies,
                at=self._clock.now(),
                error=ending.error,
                kind=ending.kind or None,
                last=ending.last,
                joined=company.shown,
                marks=ending.marks,
                interrupted=interrupted,
            )
        )
        self._transcripts.append(turn.event.session_id, ending.messages, ending.marks)
        self._casting.loops.answered(turn.event, ending.text)
        finished = _finished(turn, ending.outcome, ending.error, ending.kind, also=company.ids)
        await self._announce(replies, finished)
        await self._abandon(turn)
        return more

    async def _abandon(self, turn: Turn) -> None:
        """End what the turn has asked of other agents, and nobody waits for any more."""
        for task in self._family.called_by(turn.id):
            self.stop(task.session_id)
        for task in await self._family.left_by(turn):
            await self._bus.publish(task)

    async def _put_back(self, turn: Turn) -> None:
        """Leave the turn for later; a caller that was parked until now goes on, and will ask for it."""
        await self._inbox.release(turn)
        if (caller := await self._family.wake_caller(turn.event)) is not None:
            await self._bus.publish(caller)

    async def _replies(self, company: Company, ending: Ending) -> list[Reply]:
        return [
            reply
            for place in company.places()
            for reply in await self._casting.replies(
                place.event,
                _words(place.event, ending),
                error=_for_the_reader(place.event, ending),
                also=place.also,
                marks=ending.marks,
            )
        ]

    async def _park(self, playing: Playing, parked: Parked) -> None:
        """Defer the turn, and what joined it; the user is told the first time only, of a budget once for each day."""
        turn = playing.turn
        held = parked if isinstance(parked, Withheld) else None
        # A caller is parked too, and says so.
        silent = isinstance(turn.event, DispatchEvent) or (turn.parked and not held and not parked.asks)
        replies = (await self._casting.replies(turn.event, parked.notice))[: 0 if silent else 1]
        told = await self._inbox.defer(
            turn,
            until=parked.until,
            why=str(parked),
            kind=type(parked).__name__,
            notice=replies[0] if replies else None,
            refusal=Refusal(budget=held.budget, tag=held.tag, once=held.once) if held else None,
        )
        logger.warning("turn parked until %s: %s", parked.until, parked, extra={"event": turn.id})
        finished = _finished(turn, "parked", str(parked), type(parked).__name__, also=playing.company.ids)
        await self._announce(replies if told else [], finished)
        if (early := await self._casting.answered(parked)) is not None:
            await self._bus.publish(early)

    async def _set_aside(self, turn: Turn) -> None:
        error = f"its turn was begun {turn.attempts - 1} times and never ended"
        words = f"I have set this message aside: {error}. Please ask in another way."
        # What it had interrupted ends with it; what joined it is free again.
        also = tuple(joined.event.id for joined in turn.joined if joined.step is None)
        replies = await self._casting.replies(turn.event, words, error=error, also=also)
        await self._inbox.bury(turn, error=error, notice=replies[0] if replies else None)
        logger.error("message set aside: %s", error, extra={"event": turn.id})
        await self._announce(replies[:1], _finished(turn, "failed", error, POISON, also=also))
        await self._abandon(turn)

    async def _announce(self, replies: Sequence[Reply], finished: Notice) -> None:
        for reply in replies:
            await self._bus.publish(reply)
        await self._bus.publish(finished)


def _failure(playing: Playing, error: str, kind: str) -> Ending:
    words = f"I could not finish: {error}."
    turn, company = playing.turn, playing.company
    company.forget()
    opening = turn.opening or company.opening(Message.user(turn.event.content))
    messages = [opening, Message.assistant(f"[{words}]")]
    return Ending(outcome="failed", text=words, error=error, kind=kind, messages=messages)


def _words(event: TurnEvent, ending: Ending) -> str:
    """Return what is said at the end; a person is also told what was done to the conversation."""
    if not ending.notes or isinstance(event, DispatchEvent) or event.source.channel in UNATTENDED:
        return ending.text
    return "\n\n".join([ending.text, *(f"({note})" for note in ending.notes)])


def _for_the_reader(event: TurnEvent, ending: Ending) -> str | None:
    """Return the error of an ending; for an agent that called, to be stopped is one too."""
    if isinstance(event, DispatchEvent) and ending.outcome == "stopped":
        return "it was stopped"
    return ending.error


def _finished(
    turn: Turn, outcome: Outcome, error: str | None, kind: str, *, also: tuple[str, ...] = ()
) -> TurnFinished:
    return TurnFinished(**about(turn), agent_id=turn.event.agent_id, outcome=outcome, error=error, kind=kind, also=also)
