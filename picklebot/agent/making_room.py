"""Making a conversation shorter, a part at a time: big old results first, then a record of the older part.

Promises that each part is in force in one write or not at all, and that one which a crash cut short is gone on with.
Knows no store and no channel.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from picklebot.agent import summary
from picklebot.agent.compaction import Brief, RecordKeeper
from picklebot.agent.money import weigh
from picklebot.agent.shortening import CHARACTERS, Plan, plan
from picklebot.agent.turn_view import TurnView
from picklebot.agent.view import cuts
from picklebot.core.compaction import Begun, Compaction, CompactionJournal, Why
from picklebot.core.messages import Message
from picklebot.errors import ContextTooLong, ModelError

logger = logging.getLogger(__name__)

PARTS = 40  #: parts that are put away in one go
CHUNK = 0.5  #: of the limit that one part may take in the request that asks for its record
SMALLEST = 0.03  #: of the limit: a part that is refused even so is not the trouble
SAID_SHARE, OWN_SHARE = 0.15, 0.25  #: of the limit, and of what is put away, for what is kept of it verbatim


class NoRecord(ModelError):
    """The model gave no record that can be used; nothing was changed."""


class RoomMaker:
    """Makes room in one turn's view."""

    def __init__(self, view: TurnView, *, keeper: RecordKeeper, journal: CompactionJournal) -> None:
        self._view = view
        self._conversation = view.conversation
        self._keeper = keeper
        self._journal = journal
        self._chunk = CHUNK

    async def make(self, added: Sequence[Message], limit: float, *, why: Why, keep: str = "") -> str | None:
        """Show less until it takes less than `limit` tokens; return what to tell the user, None if nothing was done.

        Raises:
            NoRecord, ModelError, LimitReached: there is no record of a part; what was put away before stays so.
        """
        before = self._view.tokens(added)
        done = covered = False
        for _ in range(PARTS):
            if covered and why == "asked":
                break
            chosen = self._plan(added, limit, covering=why == "asked")
            if chosen is None:
                break
            if chosen.cut:
                covered = await self._put_away(chosen.cut, added, limit, why=why, keep=keep) or covered
            else:
                await self._trim(chosen, why)
            done = True
            if self._view.tokens(added) <= limit and why != "asked":
                break
        if not done:
            return None
        after = self._view.tokens(added)
        logger.info("a conversation was made shorter (%s): %.0f tokens are %.0f now", why, before, after)
        what = "made our conversation shorter" if covered else "put long results of tools out of sight"
        return f"I {what} to leave room: about {before:,.0f} tokens are {after:,.0f} now. The whole of it is kept."

    async def resume(self, added: Sequence[Message], limit: float) -> bool:
        """Go on with what an earlier attempt of this turn has begun; return whether it had.

        Raises:
            NoRecord, ModelError, LimitReached: as `make`.
        """
        self._keeper.count(await self._journal.spent())
        if (begun := await self._journal.pending()) is None:
            self._conversation.unfinished = False
            return False
        old, draft = self._conversation.compaction, begun.draft
        if (draft.before, draft.within) != ((old.before if old else 0), self._view.within):
            return await self._cover(begun, added, limit)
        done = replace(draft, digest=old.digest if old else None)  # nothing is covered, only results cut short
        await self._journal.finish(begun, done, None)
        self._conversation.unfinished = False
        self._conversation.compact(done)
        return True

    def _plan(self, added: Sequence[Message], limit: float, *, covering: bool) -> Plan | None:
        rest = self._view.rest(added)
        ratio = self._conversation.meter.ratio
        sizes = [weigh(message) * ratio for message in rest]
        compaction = self._conversation.compaction
        return plan(
            rest,
            sizes,
            fixed=max(self._view.tokens(added) - sum(sizes), 0.0),
            limit=limit,
            trimmed=compaction.trimmed if compaction else {},
            covering=covering,
        )

    async def _trim(self, chosen: Plan, why: Why) -> None:
        compaction = self._conversation.compaction or Compaction(turn=self._view.turn)
        trimmed = {**compaction.trimmed, **chosen.trimmed}
        draft = replace(compaction, turn=self._view.turn, within=self._view.within, trimmed=trimmed)
        await self._journal.finish(await self._journal.begin(draft, why=why, keep=""), draft, None)
        self._conversation.compact(draft)

    async def _put_away(self, cut: int, added: Sequence[Message], limit: float, *, why: Why, keep: str) -> bool:
        rest = self._view.rest(added)
        at = self._part(rest, cut, limit)
        self._conversation.unfinished = True
        begun = await self._journal.begin(self._draft(at), why=why, keep=keep)
        return await self._cover(begun, added, limit)

    def _part(self, rest: Sequence[Message], cut: int, limit: float) -> int:
        """Return where the first part ends that one request may hold, at `cut` at the latest."""
        room = limit * self._chunk
        ratio = self._conversation.meter.ratio
        places = [place for place in cuts(rest) if place < cut] + [cut]
        found = places[0]
        for place in places:
            if weigh(Message.user(self._source(rest[:place], limit))) * ratio > room:
                break
            found = place
        return found

    def _draft(self, at: int) -> Compaction:
        """Return the compaction that covers the first `at` messages of what is not covered."""
        old = self._conversation.compaction
        before = old.before if old else 0
        trimmed: Mapping[str, int] = old.trimmed if old else {}
        ended = len(self._conversation.messages) - before
        digest = old.digest if old else None
        if at <= ended:
            return Compaction(turn=self._view.turn, before=before + at, digest=digest, trimmed=trimmed)
        within = self._view.within + at - ended
        return Compaction(turn=self._view.turn, before=before + ended, within=within, digest=digest, trimmed=trimmed)

    async def _cover(self, begun: Begun, added: Sequence[Message], limit: float) -> bool:
        """Put away what `begun` says; return False if it was too long and a smaller part is to be tried."""
        draft, old = begun.draft, self._conversation.compaction
        history = self._conversation.messages[old.before if old else 0 : draft.before]
        covered = [*history, *added[self._view.within : draft.within]]
        brief = Brief(source=self._source(covered, limit), room=limit)
        try:
            written = await self._keeper.write(begun, brief, self._journal)
        except ContextTooLong:
            await self._journal.give_up(begun, None)
            self._conversation.unfinished = False
            self._chunk /= 2
            if self._chunk < SMALLEST:
                raise
            return False
        if written.problem:
            await self._journal.give_up(begun, written.step)
            self._conversation.unfinished = False
            raise NoRecord(f"the model's summary cannot be used: {written.problem}")
        size = sum(map(weigh, covered)) * self._conversation.meter.ratio
        room = int(min(limit * SAID_SHARE, size * OWN_SHARE) * CHARACTERS)
        digest = summary.digest(written.summary, covered, old.digest if old else None, room=room)
        done = replace(draft, digest=digest)
        await self._journal.finish(begun, done, written.step)
        self._conversation.unfinished = False
        self._conversation.compact(done)
        return True

    def _source(self, messages: Sequence[Message], limit: float) -> str:
        compaction = self._conversation.compaction
        return summary.transcript(messages, compaction.digest if compaction else None, room=int(limit * self._chunk))
