"""Asking an agent: one message, however often it is sent, and its reply.

Promises that a message is accepted once for each key, that a cancelled call stops the turn it began, and that whoever
asks again with the same key goes on waiting for the same reply. Knows no protocol.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from picklebot.cli.mcp.api import Api
from picklebot.cli.mcp.progress import Notify, Watch, watching
from picklebot.core.ids import new_id
from picklebot.errors import PicklebotError

ROUND = 20.0  #: seconds between two signs of life
MAX_KEY = 128
PATH = "/api/messages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks: `client` is the program, `request` what it calls this request. `notify` shows it what happens."""

    client: str
    request: str
    notify: Notify


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came of a message. `done`: whether that is all; else asking again under `key` waits on."""

    session_id: str
    event_id: str
    key: str
    text: str = ""
    error: str | None = None
    done: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked. Without a session it goes on in the one that this program began with that agent."""

    message: str
    agent: str | None = None
    session: str | None = None
    key: str | None = None
    seconds: float = 600.0


class Asking:
    """Asks agents for one program. Its tasks are those of `group`."""

    def __init__(self, api: Api, group: asyncio.TaskGroup) -> None:
        self._api = api
        self._group = group
        self._life = new_id()  # a program counts its requests anew each time it starts
        self._leaving = False
        self._sessions: dict[tuple[str, str | None], str] = {}

    def leave(self) -> None:
        """Say that from now on nobody calls a question back: the program leaves, and its turns go on."""
        self._leaving = True

    async def ask(self, question: Question, caller: Caller) -> Reply:
        """Say it, and wait for the reply.

        Raises:
            PicklebotError: it was not accepted, or the daemon does not come back.
        """
        watch = Watch(caller.notify)
        url, token = await self._api.home.find()
        async with watching(url, token, watch):
            said = _Said(self._key(question, caller), self._body(question, caller))
            accepting = self._group.create_task(_verdict(self._api.post(PATH, said.body, key=said.key)), name="accept")
            try:
                receipt = _result(await asyncio.shield(accepting))
                if not question.session:
                    self._sessions[caller.client, question.agent] = receipt["session_id"]
                await watch.follow(receipt["event_id"])
                return await self._wait(said, receipt, watch, caller.notify, until=_now() + question.seconds)
            except asyncio.CancelledError:
                if not self._leaving:
                    self._group.create_task(self._withdraw(accepting), name="withdraw")
                raise

    def _key(self, question: Question, caller: Caller) -> str:
        if question.key:
            return question.key
        said = repr((question.message, question.agent, question.session)).encode("utf-8", "replace")
        return f"{self._life}:{caller.request[:32]}:{hashlib.sha256(said).hexdigest()[:32]}"

    def _body(self, question: Question, caller: Caller) -> Mapping[str, Any]:
        body = {"content": question.message, "client": caller.client}
        if session := question.session or self._sessions.get((caller.client, question.agent)):
            return {**body, "session": session}
        return {**body, "new": True, **({"agent": question.agent} if question.agent else {})}

    async def _wait(
        self, said: "_Said", receipt: Mapping[str, Any], watch: Watch, notify: Notify, *, until: float
    ) -> Reply:
        session_id, event_id = str(receipt["session_id"]), str(receipt["event_id"])
        open_ = Reply(session_id=session_id, event_id=event_id, key=said.key, done=False)
        while (left := until - _now()) > 0:
            round_ = self._api.post(PATH, said.body, key=said.key, wait=max(min(ROUND, left), 0.1))
            asked = self._group.create_task(_verdict(round_), name="wait")
            try:
                either: set[asyncio.Future[Any]] = {asked, watch.parked}
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not asked.done():
                    asked.cancel()
            if watch.parked.done():
                return replace(open_, text=watch.parked.result())
            if "reply" in (found := _result(asked.result())):
                return replace(open_, text=found["reply"], error=found["error"], done=True)
            await notify("still at work")
        return open_

    async def _withdraw(self, accepting: "asyncio.Task[_Verdict]") -> None:
        """Stop the turn of a message that nobody waits for any more, if it runs."""
        receipt = await accepting
        if not isinstance(receipt, PicklebotError):
            await _verdict(self._api.post(f"/api/turns/{receipt['event_id']}/stop"))


@dataclass(frozen=True, slots=True)
class _Said:
    key: str
    body: Mapping[str, Any]


_Verdict: TypeAlias = Mapping[str, Any] | PicklebotError


async def _verdict(asking: Awaitable[Mapping[str, Any]]) -> _Verdict:
    """Return what came of it, also where that is an error: it concerns who waits, and not the other tasks."""
    try:
        return await asking
    except PicklebotError as exc:
        return exc


def _result(verdict: _Verdict) -> Mapping[str, Any]:
    if isinstance(verdict, PicklebotError):
        raise verdict
    return verdict


def _now() -> float:
    return asyncio.get_running_loop().time()
