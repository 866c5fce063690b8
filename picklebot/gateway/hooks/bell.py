"""`POST /hooks/<name>`: a program rings, and an agent is sent its delivery.

Promises that a delivery is accepted only if its sender holds the hook's secret, that one which is offered again begins
no second turn, and that whoever is not believed hears the same answer whatever was wrong, a hook that does not exist
included. Knows no agent.
"""

import asyncio
import json
import logging
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from picklebot.channels.base import Incoming
from picklebot.clock import Clock
from picklebot.errors import NotFound
from picklebot.gateway.endpoint import BODY_SECONDS, Access, Endpoint
from picklebot.gateway.entrance import Entrance, key_of
from picklebot.gateway.hooks.hook import Hook
from picklebot.gateway.hooks.prompt import render
from picklebot.gateway.hooks.signature import Delivery, Knock, Unsigned, verify
from picklebot.gateway.refusals import Refused, reply

logger = logging.getLogger(__name__)

UNKNOWN_BYTES = 262_144  #: that are read for a hook which does not exist, as for one that does
_SMALL = 100_000  #: bytes of JSON that are read in the loop


class Rung(BaseModel):
    """What became of a delivery."""

    event_id: str
    session_id: str
    duplicate: bool


class Proofs(Protocol):
    """Remembers which signed deliveries have come, so that a copy is known whatever its unsigned headers say."""

    async def first_key(self, proof: str, key: str, *, at: datetime, until: datetime) -> str:
        """Return the key under which `proof` came first: `key`, where it is new. It is kept `until` then."""
        ...


class Bell:
    """Takes deliveries."""

    def __init__(self, hooks: Mapping[str, Hook], *, entrance: Entrance, proofs: Proofs, clock: Clock) -> None:
        self._hooks = hooks
        self._entrance = entrance
        self._proofs = proofs
        self._clock = clock

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the route."""
        return [
            Endpoint(
                method="POST",
                path="/hooks/{name}",
                answer=self.answer,
                summary="Ring a webhook of config.yaml, signed with its own secret.",
                access=Access.OWN,
                shape=Rung,
                status=202,
                also={413: "The body is longer than the hook's max_bytes."},
                tag="hooks",
            )
        ]

    async def answer(self, request: Request) -> Response:
        """Take a delivery; answer 202 once it is on disk.

        Raises:
            Refused: it is not taken.
        """
        hook = self._hooks.get(str(request.path_params["name"]))
        body = await _body(request, hook.max_bytes if hook else UNKNOWN_BYTES)
        knock = Knock(headers={name.lower(): value for name, value in request.headers.items()}, body=body)
        delivery = self._believe(hook, knock)
        if hook is None or delivery is None:
            raise Refused(401, "unauthorized", "the request is not signed with this hook's secret")
        content = await self._prompt(hook, knock)
        accepted = await self._bring(hook, content, await self._key(hook, delivery))
        return reply(accepted.model_dump(), 202)

    def _believe(self, hook: Hook | None, knock: Knock) -> Delivery | None:
        if hook is None:
            return None
        now = self._clock.now().timestamp()
        try:
            return verify(hook.style, knock, secret=hook.secret, now=now, window=hook.window)
        except Unsigned as exc:
            logger.warning("a delivery to the webhook %s was not believed: %s", hook.name, exc)
            return None

    async def _key(self, hook: Hook, delivery: Delivery) -> str:
        """Return the delivery's key: for a copy of a request the first one's, because not every header is signed."""
        if not delivery.proof:
            return delivery.key
        now = self._clock.now()
        # Its time may lie as far ahead as behind, so that it is believed for two windows at most.
        until = now + timedelta(seconds=2 * hook.window)
        return await self._proofs.first_key(f"{hook.name} {delivery.proof}", delivery.key, at=now, until=until)

    async def _prompt(self, hook: Hook, knock: Knock) -> str:
        kind = knock.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
            raise Refused(415, "unsupported_media_type", "a webhook takes application/json")

        def build() -> str:
            try:
                found: Any = json.loads(knock.body)
            except (ValueError, RecursionError) as exc:
                raise Refused(400, "bad_request", "the body is no JSON") from exc
            mark = secrets.token_hex(4)
            return render(hook.template, hook=hook.name, body=found, headers=knock.headers, mark=mark)

        return build() if len(knock.body) < _SMALL else await asyncio.to_thread(build)

    async def _bring(self, hook: Hook, content: str, key: str) -> Rung:
        incoming = Incoming(
            source=self._entrance.source(hook.name),
            content=content,
            key=key_of(hook.name, key),
            agent=hook.agent,
            new_session=hook.fresh,
            deliver=hook.deliver,
        )
        try:
            accepted = await self._entrance.bring(incoming)
        except NotFound as exc:  # whom we know and whom we do not is none of the sender's business
            logger.error("the webhook %s takes nothing: %s", hook.name, exc)  # noqa: TRY400  # the sentence says it
            raise Refused(503, "unavailable", "this hook cannot take deliveries now") from exc
        return Rung(event_id=accepted.event_id, session_id=accepted.session_id, duplicate=accepted.duplicate)


async def _body(request: Request, limit: int) -> bytes:
    """Return the body, as it came.

    Raises:
        Refused: it is too long, or too slow.
    """
    pieces = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                pieces += piece
                if len(pieces) > limit:
                    raise Refused(413, "too_large", f"the body has more than {limit:,} bytes")
    except TimeoutError:
        raise Refused(408, "too_slow", f"the body did not arrive within {BODY_SECONDS:.0f} s") from None
    return bytes(pieces)
