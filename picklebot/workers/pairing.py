"""Letting strangers in: their code, and the owner's /approve and /deny of it.

Promises that a stranger hears the code once and nothing else, in private only, and that only an owner can use it.
Knows no platform.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from picklebot.channels.base import Channel, Incoming
from picklebot.core.people import Knock, Role, person_of, typed_code
from picklebot.core.proposals import visible
from picklebot.core.source import Source
from picklebot.errors import ChannelError, StoreFull
from picklebot.store.base import Pairings
from picklebot.workers.commands import Command
from picklebot.workers.people import People

logger = logging.getLogger(__name__)

WORDS = (
    "This assistant listens to its owner only. To be let in, give the owner this code within the hour: {code}\n"
    "(Your message was not read.)"
)
_OWNER = "owner"


class Greeter:
    """Tells strangers their code."""

    def __init__(self, pairings: Pairings, *, now: Callable[[], datetime]) -> None:
        self._pairings = pairings
        self._now = now
        self._telling: set[str] = set()  # codes on their way: whoever writes twice in a row hears one

    async def greet(self, channel: Channel, stranger: Incoming) -> None:
        """Tell a stranger the code, if they have not heard it and nobody else reads it."""
        if not stranger.private:
            return
        person = person_of(stranger.source)
        try:
            knock = await self._pairings.knock(channel.name, person, name=stranger.sender, at=self._now())
            if knock is None or knock.code in self._telling:
                return
            await self._tell(channel, stranger.source, knock)
        except (ChannelError, StoreFull) as exc:  # told with the next message, then
            logger.warning("a stranger on %s could not be told their code: %s", channel.name, exc)
            return
        logger.info("%s %r waits to be let in: /approve %s", channel.name, person, knock.code)

    async def _tell(self, channel: Channel, to: Source, knock: Knock) -> None:
        self._telling.add(knock.code)
        try:
            await channel.send(to, WORDS.format(code=knock.code), key=f"pairing-{knock.code}")
            await self._pairings.told(knock)
        finally:
            self._telling.discard(knock.code)


class PairingCommands:
    """Puts strangers into /approve and /deny, before what else they answer: `approve` and `deny` are those."""

    def __init__(
        self,
        *,
        pairings: Pairings,
        people: People,
        approve: Command,
        deny: Command,
        now: Callable[[], datetime],
    ) -> None:
        self._pairings = pairings
        self._people = people
        self._rest = {"approve": approve, "deny": deny}
        self._now = now

    def table(self) -> Mapping[str, Command]:
        """Return the commands by name."""
        return {
            "approve": replace(self._rest["approve"], usage="[ID|BUDGET|CODE [owner]]", run=self._approve),
            "deny": replace(self._rest["deny"], usage="[ID|CODE|CHANNEL PERSON]", run=self._deny),
        }

    async def _approve(self, source: Source, argument: str) -> str:
        rest = self._rest["approve"].run
        if not self._people.is_owner(source):
            return await rest(source, argument)
        waiting = await self._pairings.pending(self._now())
        if not argument:
            if not waiting:
                return await rest(source, argument)
            return "\n\n".join([_listing(waiting), await rest(source, argument)])
        word, _, role = argument.partition(" ")
        code = typed_code(word)
        if code is None or not (waiting or role):
            return await rest(source, argument)
        if role.strip() not in {"", _OWNER, "guest"}:
            return f"Somebody is let in as guest or as owner: `/approve {code}` or `/approve {code} owner`."
        if role.strip() or any(knock.code == code for knock in waiting):
            wanted: Role = "owner" if role.strip() == _OWNER else "guest"
            return await self._let_in(code, wanted, source)
        await self._pairings.approve(code, "guest", by=source, at=self._now())  # counted: it may be a guess
        return await rest(source, argument)

    async def _let_in(self, code: str, role: Role, by: Source) -> str:
        grant = await self._pairings.approve(code, role, by=by, at=self._now())
        if grant is None:
            return f"No code {code} waits: it was used, mistyped too often, or is older than an hour."
        self._people.learn(grant.channel, grant.person, grant.role)
        logger.info("%s %r was let in as %s by %s", grant.channel, grant.person, role, by)
        may = "may do all that you may" if role == _OWNER else "may talk, and no more"
        shut = f"/deny {grant.channel} {grant.person} takes it back"
        return f"{_who(grant.channel, grant.person, grant.name)} is let in as {role}: they {may}. {shut}."

    async def _deny(self, source: Source, argument: str) -> str:
        code = typed_code(argument)
        if code is not None and self._people.is_owner(source):
            knock = await self._pairings.turn_away(code, at=self._now())
            if knock is not None:
                return f"Turned away: {_who(knock.channel, knock.person, knock.name)}."
        match argument.split():
            case [channel, person] if self._people.is_owner(source):
                return await self._shut_out(channel, person)
            case _:
                pass
        return await self._rest["deny"].run(source, argument)

    async def _shut_out(self, channel: str, person: str) -> str:
        if not await self._pairings.revoke(channel, person, at=self._now()):
            return f"{_who(channel, person, '')} was not let in by a code; who is in config.yaml is taken out there."
        self._people.learn(channel, person, None)
        return f"{_who(channel, person, '')} is shut out."


def _listing(waiting: Sequence[Knock]) -> str:
    return "\n".join(
        f"{told(knock)}: /approve {knock.code} lets them in, /deny {knock.code} does not." for knock in waiting
    )


def told(knock: Knock) -> str:
    """Return who waits, on one line. The name is theirs to choose, and proves nothing."""
    return f"{_who(knock.channel, knock.person, knock.name)} wants to talk"


def _who(channel: str, person: str, name: str) -> str:
    called = f", who goes by “{visible(name)}”" if name else ""
    return f"{channel} {visible(person)}{called}"
