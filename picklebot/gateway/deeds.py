"""What can be done beside talking: begin a job, stop a turn, let go on or give up what was set aside, answer an agent.

Promises that each is what the same command does, and that an approval is for exactly what was shown. Knows no command.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from picklebot.core.proposals import Verdict, typed_id
from picklebot.gateway import shown
from picklebot.gateway.endpoint import Endpoint, Given, body_of
from picklebot.gateway.refusals import Refused, reply
from picklebot.shapes import letter_json, proposal_json
from picklebot.store.base import Proposals
from picklebot.store.letters import Letter


class Consent(Given):
    """The digest of the proposal as it was shown."""

    digest: str = Field(min_length=1, max_length=128)


@dataclass(frozen=True, slots=True, kw_only=True)
class Levers:
    """What does it. Each raises `NotFound` for what there is not."""

    run: Callable[[str], Awaitable[Mapping[str, Any]]]
    """Begins a job now."""
    stop: Callable[[str], Awaitable[bool]]
    """Stops the turn of a message; returns whether it ran."""
    retry: Callable[[str], Awaitable[Letter]]
    drop: Callable[[str], Awaitable[Letter]]
    answer: Callable[[Verdict, str], Awaitable[str]]
    """Answers a proposal as its owner; returns what came of it in words."""


class Deeds:
    """The part of the API that changes something."""

    def __init__(self, *, levers: Levers, proposals: Proposals) -> None:
        self._levers = levers
        self._proposals = proposals

    def endpoints(self) -> list[Endpoint]:
        """Return the routes."""
        return [
            Endpoint(
                method="POST",
                path="/api/crons/{id}/run",
                answer=self._run,
                summary="Begin a job now, paused or not.",
                shape=shown.Begun,
            ),
            Endpoint(
                method="POST",
                path="/api/turns/{id}/stop",
                answer=self._stop,
                summary="Stop the turn that answers a message, by the id of the message.",
                shape=shown.Ok,
            ),
            Endpoint(
                method="POST",
                path="/api/events/{id}/retry",
                answer=self._retry,
                summary="Let a message or a reply that was set aside go on.",
                shape=shown.LetterShown,
            ),
            Endpoint(
                method="POST",
                path="/api/events/{id}/drop",
                answer=self._drop,
                summary="Give a message or a reply that was set aside up for good. It stays in the log.",
                shape=shown.LetterShown,
            ),
            Endpoint(
                method="POST",
                path="/api/proposals/{id}/approve",
                answer=self._approve,
                summary="Agree to what an agent proposes, as it was shown.",
                body=Consent,
                shape=shown.Decided,
            ),
            Endpoint(
                method="POST",
                path="/api/proposals/{id}/deny",
                answer=self._deny,
                summary="Refuse what an agent proposes, as it was shown.",
                body=Consent,
                shape=shown.Decided,
            ),
        ]

    async def _run(self, request: Request) -> Response:
        return reply(await self._levers.run(request.path_params["id"]))

    async def _stop(self, request: Request) -> Response:
        if not await self._levers.stop(request.path_params["id"]):
            raise Refused(409, "nothing_runs", "that message is not being answered now")
        return reply({"status": "ok"})

    async def _retry(self, request: Request) -> Response:
        return reply(letter_json(await self._levers.retry(request.path_params["id"])))

    async def _drop(self, request: Request) -> Response:
        return reply(letter_json(await self._levers.drop(request.path_params["id"])))

    async def _approve(self, request: Request) -> Response:
        return await self._decide(request, "approved")

    async def _deny(self, request: Request) -> Response:
        return await self._decide(request, "denied")

    async def _decide(self, request: Request, verdict: Verdict) -> Response:
        shown_digest = (await body_of(request, Consent)).digest
        proposal = await self._proposals.get(typed_id(request.path_params["id"]))
        if proposal.digest != shown_digest or not proposal.intact:
            raise Refused(409, "not_what_was_shown", f"{proposal.id} is not what you were shown: look at it again")
        if proposal.concluded or proposal.state not in {"open", "approved" if verdict == "approved" else "open"}:
            raise Refused(409, "decided", f"{proposal.id} is {proposal.state} already")
        words = await self._levers.answer(verdict, proposal.id)
        return reply({"proposal": proposal_json(await self._proposals.get(proposal.id)), "words": words})
