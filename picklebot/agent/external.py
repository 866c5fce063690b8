"""A turn whose agent is a program of somebody else's: hand it what was said, and take down what it says.

Promises what `AgentRunner` does: that every run ends within its seconds, and that each message of the agent is recorded,
and on its way, before its file is taken away. Knows a line to the program, and no bus, no store and no channel.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from picklebot.agent.runner import INTERRUPTED, Ending, TurnLimits
from picklebot.clock import Clock
from picklebot.core.events import DispatchEvent, InboundEvent, Outcome, TurnEvent
from picklebot.core.journal import PlannedCall, RecordedStep
from picklebot.core.marks import Marks
from picklebot.core.messages import Block, Message
from picklebot.core.replies import EXTERNAL, ModelReply
from picklebot.errors import LimitReached, TurnError
from picklebot.ipc.letters import Letter, Note
from picklebot.ipc.line import Line, Start

QUIET = timedelta(seconds=5)  #: after which an agent that never says when it is done is taken to be
LOOK = timedelta(seconds=2)  #: between two looks into the folder, if nothing is heard
MOST = 200  #: messages of one turn
OUTSIDE: Marks = frozenset({"outside"})  #: nobody here knows what the program has read


class Followup(Protocol):
    """A message that joined the turn, and how it is shown in the conversation."""

    @property
    def event(self) -> InboundEvent:
        """The message."""
        ...

    @property
    def blocks(self) -> Sequence[Block]:
        """What the conversation has of it."""
        ...


class Journal(Protocol):
    """Where the turn writes down what was said. What returned is on disk."""

    async def record_step(self, step: RecordedStep, calls: Sequence[PlannedCall], opening: Message) -> None:
        """Record what the agent said, and with the first of it the turn's opening."""
        ...

    async def follow(self, step: int) -> Sequence[Followup]:
        """Return what joined before `step`, and lets join what may now; each once."""
        ...

    def leave(self, event_ids: Sequence[str]) -> None:
        """Let messages that joined wait again: they are not answered in this turn."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """The way to one conversation's program."""

    open: Callable[[], Line]
    prepare: Callable[[Path], Start]
    """The program's own folder -> how it is started there. Blocks. ConfigError: it cannot be, in words."""
    speak: Callable[[Letter], Awaitable[None]] | None
    """Puts what it says before its end on its way. ValueError: it may not go there. None: nobody hears it before the end."""
    clock: Clock


class ExternalRunner:
    """Runs one turn, once."""

    def __init__(self, events: Sequence[TurnEvent], opening: Message, *, contact: Contact, journal: Journal) -> None:
        """`events` are the turn's own, and those that stand in its opening."""
        self._events = list(events)
        self._dispatched = isinstance(events[0], DispatchEvent)
        self._opening = opening
        self._contact = contact
        self._clock = contact.clock
        self._journal = journal
        self._line: Line | None = None
        self._said: list[tuple[str, Message]] = [(events[0].id, opening)]  # each with the message that it is, or ""
        self._texts: list[str] = []
        self._steps = 0
        self._spoke: datetime | None = None
        self._ours = False

    async def run(self, limits: TurnLimits, recorded: Sequence[RecordedStep] = ()) -> Ending:
        """Let the program answer, going on from what it is recorded to have said.

        Raises:
            ConfigError: the program cannot be started, and a file or a setting must be mended first.
        """
        line = self._line = self._contact.open()
        line.held = True
        try:
            async with asyncio.timeout(limits.seconds):
                return await self._converse(line, recorded)
        except TimeoutError:
            line.drop()
            return self._fail(LimitReached(f"it took longer than {limits.seconds:.0f} seconds"))
        except TurnError as exc:
            line.drop()
            return self._fail(exc)
        finally:
            line.held = False
            line.used = self._clock.now()

    async def recall(self, recorded: Sequence[RecordedStep]) -> None:
        """Take up what was recorded, starting nothing."""
        for step in recorded:
            await self._follow(step.n)
            self._said.append(("", step.reply.message))
            self._texts.append(step.reply.message.text)
        self._steps = len(recorded)

    def stop(self) -> Ending:
        """End because the user said so, the program too."""
        self._drop()
        return Ending(outcome="stopped", text="Stopped.", messages=self._closed("Stopped."))

    def yield_to_next(self) -> Ending:
        """End because the user has said something else, which is answered instead."""
        self._drop()
        words = f"{INTERRUPTED}."
        return Ending(outcome="stopped", text=words, messages=self._closed(words), kind="Interrupted")

    async def _converse(self, line: Line, recorded: Sequence[RecordedStep]) -> Ending:
        await self.recall(recorded)
        # What waits here is ours if it answers us, or comes from a life in which it could answer nobody else.
        self._ours = line.knows(self._events[0].id) or not (line.running or line.over is not None)
        if (ending := await self._hear(line)) is not None:
            return ending
        await line.begin(await asyncio.to_thread(self._contact.prepare, line.folder.root))
        while True:
            line.bell.clear()  # before looking: a ring while we look means look again
            over = line.over
            await self._follow(self._steps)
            if over is None:
                await self._hand_over(line)
            if (ending := await self._hear(line)) is not None:
                return ending
            if over is not None:
                return await self._after(line, over)
            if (until := self._quiet_at(line)) is not None and until <= self._clock.now():
                return await self._settled(line)
            look = self._clock.now() + LOOK
            await self._clock.wait(line.bell, until=look if until is None else min(until, look))

    async def _follow(self, step: int) -> None:
        """Take in what was said meanwhile."""
        for joined in await self._journal.follow(step + 1):  # 0 is the opening
            self._events.append(joined.event)
            self._said.append((joined.event.id, Message("user", tuple(joined.blocks))))
            if self._spoke is not None:
                self._spoke = self._clock.now()

    async def _hand_over(self, line: Line) -> None:
        for event in self._events:
            await line.hand(
                Note(
                    content=event.content,
                    source=str(event.source),
                    session_id=event.session_id,
                    event_id=event.id,
                )
            )
        self._ours = True

    async def _hear(self, line: Line) -> Ending | None:
        """Take what the agent has said since the last time; return the turn's end, if that is in it."""
        letters = await line.letters()
        for letter in letters:
            line.says_when = line.says_when or letter.final is not None
            mine = self._ours if letter.event_id is None else letter.event_id in {event.id for event in self._events}
            if mine and letter.final:
                if letter.channel is None or await self._spoken(line, letter):
                    return await self._final(line, letter)
            elif await self._spoken(line, letter):
                if mine:
                    await self._take_down(letter)
                await line.discard(letter)
        if letters:
            line.bell.set()  # there may be more
        return None

    async def _spoken(self, line: Line, letter: Letter) -> bool:
        """Put a message on its way; one that may not go there is put aside."""
        try:
            if self._contact.speak is not None:
                await self._contact.speak(letter)
            elif letter.channel is not None:
                raise ValueError("channel: what another agent asked for goes back to that agent alone")  # noqa: TRY301  # as speak would
        except ValueError as exc:
            await line.reject(letter, str(exc))
            return False
        return True

    async def _take_down(self, letter: Letter) -> None:
        if self._steps >= MOST:
            raise LimitReached(f"it sent more than {MOST} messages")
        step = self._step(letter)
        await self._journal.record_step(step, (), self._opening)
        self._steps += 1
        self._said.append(("", step.reply.message))
        self._texts.append(letter.content)
        self._spoke = self._clock.now()

    async def _final(self, line: Line, letter: Letter) -> Ending:
        await self._part(line, up_to=letter.event_id)
        line.keep(letter)
        line.worked()
        step = self._step(letter)
        self._said.append(("", step.reply.message))
        said = letter.content if letter.channel is None else ""
        return replace(self._done(said), last=step)

    async def _after(self, line: Line, why: str) -> Ending:
        """Return how the turn ends once the program is gone."""
        if why or not self._texts:
            raise TurnError(why or "its program ended without an answer")
        return await self._settled(line)

    async def _settled(self, line: Line) -> Ending:
        """Return how the turn ends where all was said, without a word that it was."""
        await self._part(line, up_to=None)
        line.worked()
        return self._done("")

    async def _part(self, line: Line, *, up_to: str | None) -> None:
        """Let what is not answered wait again: what came after `up_to`, else what the agent has not read.

        An agent that takes away nothing is taken to have read everything.
        """
        ids = [event.id for event in self._events]
        if up_to in ids:
            left = ids[ids.index(up_to) + 1 :]
        else:
            unread = await line.unread(ids)
            left = [] if ids[0] in unread else [event_id for event_id in ids if event_id in unread]
        self._journal.leave(left)
        self._said = [(event_id, message) for event_id, message in self._said if event_id not in left]
        await line.done_with([event_id for event_id in ids if event_id not in left])

    def _quiet_at(self, line: Line) -> datetime | None:
        return None if self._spoke is None or line.says_when else self._spoke + QUIET

    def _step(self, letter: Letter) -> RecordedStep:
        message = Message.assistant(letter.content) if letter.content.strip() else Message("assistant", ())
        # The file's name says who it is: found again after a crash, it is not delivered again.
        reply = ModelReply(message=message, stop_reason=EXTERNAL, model=EXTERNAL, request_id=letter.name)
        return RecordedStep(n=self._steps, reply=reply, cost_usd=None)

    def _done(self, said: str) -> Ending:
        if self._dispatched:  # who asked has heard nothing yet
            said = "\n\n".join([*self._texts, *([said] if said else [])])
        return self._ending("done", said, self._closed())

    def _fail(self, error: TurnError) -> Ending:
        words = f"I stopped: {error}." if isinstance(error, LimitReached) else f"I could not finish: {error}."
        ending = self._ending("failed", words, self._closed(words))
        return replace(ending, error=str(error), kind=type(error).__name__)

    def _ending(self, outcome: Outcome, text: str, messages: Sequence[Message]) -> Ending:
        return Ending(outcome=outcome, text=text, messages=messages, marks=OUTSIDE)

    def _closed(self, words: str = "") -> list[Message]:
        """Return the conversation, in which both sides take turns and the agent's has the last word."""
        said = [message for _, message in self._said if message.blocks]
        if words or said[-1].role == "user":
            said.append(Message.assistant(f"[{words or 'Nothing more to say.'}]"))
        found = [said[0]]
        for message in said[1:]:
            if message.role == found[-1].role:
                found[-1] = Message(message.role, (*found[-1].blocks, *message.blocks))
            else:
                found.append(message)
        return found

    def _drop(self) -> None:
        if self._line is not None:
            self._line.drop()
