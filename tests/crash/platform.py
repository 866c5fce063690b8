"""The chat platform at the other end of `picklebot.testing.platform`, in the harness's own process.

Promises what a real one does, good and bad: it offers a message until it hears "accepted", and then perhaps again; it
keeps a reply with a key it has seen from being shown twice; it loses things on the way, answers late, twice, or with
"not now". It keeps a log of all it said and heard. Knows no daemon.
"""

import asyncio
import itertools
import json
import random
import time
from collections import Counter
from typing import Any

from tests.crash.habits import QUIET, Entry, EntryKind, Habits, Posted
from tests.crash.moments import Moments

MAX_OFFERS = 20
AGAIN = 0.03  #: seconds until a refused message is offered again
LATE = 0.03  #: seconds, at most, for which a receipt is held back


class Platform:
    """Speaks JSON lines to whoever connects last."""

    def __init__(self, moments: Moments, *, habits: Habits = QUIET, chance: random.Random) -> None:
        self.log: list[Entry] = []
        self.port = 0
        self.posted: dict[str, Posted] = {}
        self.owed: Counter[str] = Counter()  #: replies that each peer still waits for
        self._open: dict[str, Posted] = {}
        self._moments = moments
        self._habits = habits
        self._chance = chance
        self._numbers = itertools.count(1)
        self._receipts: dict[str, str] = {}
        self._rejected: set[str] = set()
        self._began = time.monotonic()
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None  #: of whom there is something to say to
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen on loopback; `port` says where."""
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0, limit=4_000_000)
        self.port = self._server.sockets[0].getsockname()[1]

    async def aclose(self) -> None:
        """Hang up for good."""
        assert self._server
        self._server.close()
        self.hang_up()
        for talk in tuple(self._talks):
            await talk

    @property
    def settled(self) -> bool:
        """Whether every message was accepted and every peer has as many replies as it wrote messages."""
        return not self._open and not +self.owed

    @property
    def all_accepted(self) -> bool:
        """Whether every message was accepted."""
        return not self._open

    def post(self, peer: str, content: str) -> str:
        """Let `peer` write; return the message's key."""
        again = self._chance.random() < self._habits.offers_again
        copies = self._chance.randrange(MAX_OFFERS) if again else 0
        posted = Posted(key=f"k{next(self._numbers)}", peer=peer, content=content, copies=copies)
        self.posted[posted.key] = self._open[posted.key] = posted
        self.owed[peer] += 1
        if self._writer is not None:
            self._offer(posted)
            self._offer_copies(posted)
        return posted.key

    def fall_silent(self) -> None:
        """Say no more to a daemon that is gone; what it said before is still heard."""
        self._writer = None

    def hang_up(self) -> None:
        """Drop the connection, if there is one."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        self.hang_up()
        self._writer = writer
        try:
            self._moments.see("connected")
            self._offer_what_is_open()
            while line := await reader.readline():
                if line.endswith(b"\n"):  # else the rest of it died with its writer
                    self._hear(json.loads(line))
        except ConnectionError:
            pass  # killed in the middle of a word
        finally:
            if self._writer is writer:
                self._writer = None
            writer.close()
            self._talks.discard(task)

    def _offer_what_is_open(self) -> None:
        for posted in tuple(self._open.values()):
            self._offer(posted)
        restless = [posted for posted in self.posted.values() if posted.accepted and posted.copies]
        for posted in restless[-50:]:
            self._offer_copies(posted)

    def _offer_copies(self, posted: Posted) -> None:
        now = self._chance.randint(0, posted.copies)
        posted.copies -= now
        for _ in range(now):
            self._offer(posted)

    def _offer(self, posted: Posted) -> None:
        self._note("offered", posted.key, peer=posted.peer, content=posted.content)
        self._tell({"type": "message", "from": [posted.peer], "key": posted.key, "content": posted.content})
        self._moments.see("offered", posted.key)

    def _hear(self, frame: dict[str, Any]) -> None:
        match frame["type"]:
            case "accepted":
                key = frame["key"]
                self._note("accepted", key, event_id=frame["event_id"])
                self.posted[key].accepted = True
                self._open.pop(key, None)
                self._moments.see("accepted", key)
            case "refused":
                self._note("refused", frame["key"], content=frame["error"])
                asyncio.get_running_loop().call_later(AGAIN, self._offer_refused, frame["key"])
            case "reply":
                self._take(frame["key"], frame["to"][0], frame["content"])
            case other:
                raise AssertionError(f"the daemon sent a frame of type {other!r}")

    def _offer_refused(self, key: str) -> None:
        if key in self._open and self._writer is not None:
            self._offer(self._open[key])

    def _take(self, key: str, peer: str, content: str) -> None:
        """Take a reply, in one of the ways that platforms have."""
        habits = self._habits
        names = ("loses_before", "loses_after", "answers_twice", "answers_late", "is_busy", "rejects", "hangs_up")
        chances = [getattr(habits, name) for name in names]
        habit = self._chance.choices([*names, "is good"], [*chances, 1.0 - sum(chances)])[0]
        hangs_up_first = habit == "hangs_up" and self._chance.random() < 0.5
        if habit in {"loses_before", "is_busy"} or hangs_up_first:
            self._note("turned away", key, peer=peer, content=habit)
        elif key in self._rejected or (habit == "rejects" and key not in self._receipts):
            self._reject(key, peer, content)
        else:
            self._keep(key, peer, content)
        self._moments.see("replied", key)
        self._answer(habit, key)

    def _reject(self, key: str, peer: str, content: str) -> None:
        if key not in self._rejected:
            self._rejected.add(key)
            self.owed[peer] -= 1
        self._note("rejected", key, peer=peer, content=content)

    def _keep(self, key: str, peer: str, content: str) -> None:
        if key in self._receipts:
            self._note("repeat", key, peer=peer, content=content)
            return
        self._receipts[key] = f"r{len(self._receipts) + 1}"
        self.owed[peer] -= 1
        self._note("reply", key, peer=peer, content=content)

    def _answer(self, habit: str, key: str) -> None:
        receipt = {"type": "receipt", "key": key, "receipt": self._receipts.get(key, "")}
        match habit:
            case "hangs_up":
                self.hang_up()
            case "loses_before" | "loses_after":
                self._tell({"type": "receipt", "key": key, "error": "unreachable"})
            case "is_busy":
                self._tell({"type": "receipt", "key": key, "error": "busy", "retry_after": 0.02})
            case _ if key in self._rejected:
                self._tell({"type": "receipt", "key": key, "error": "rejected"})
            case "answers_late":
                asyncio.get_running_loop().call_later(self._chance.uniform(0, LATE), self._tell, receipt)
            case _:
                for _ in range(2 if habit == "answers_twice" else 1):
                    self._tell(receipt)
        self._moments.see("receipted", key)

    def _tell(self, frame: dict[str, Any]) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(json.dumps(frame).encode() + b"\n")

    def _note(self, kind: EntryKind, key: str, *, peer: str = "", content: str = "", event_id: str = "") -> None:
        at = time.monotonic() - self._began
        self.log.append(Entry(at=at, kind=kind, key=key, peer=peer, content=content, event_id=event_id))
