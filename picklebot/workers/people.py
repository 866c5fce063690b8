"""Who speaks: the owner, a guest, or a stranger.

Promises that ids decide and names never do, and that an empty list lets nobody in. What was granted in conversations
is read again whenever somebody speaks who is on no list, so that taking it back counts at once. Knows no platform.
"""

from collections.abc import Collection, Mapping

from picklebot.core.people import Role, person_of, place_of
from picklebot.core.source import Source
from picklebot.store.base import Pairings

#: What only the owner can speak through: the terminal, and what needs the token of this workspace.
OWNER_CHANNELS = frozenset({"cli", "ws", "http"})


def by_channel(source: Source) -> bool:
    """Return whether a channel is one that only the owner speaks through."""
    return source.channel in OWNER_CHANNELS


class People:
    """Who was let in: the `listed` ids of each channel, who are owners, and those to whom it was granted."""

    def __init__(self, listed: Mapping[str, Collection[str]], pairings: Pairings) -> None:
        self._listed = {channel: frozenset(ids) for channel, ids in listed.items()}
        self._pairings = pairings
        self._granted: dict[tuple[str, str], Role] = {}

    async def load(self) -> None:
        """Learn what was granted."""
        grants = await self._pairings.grants()
        self._granted = {(grant.channel, grant.person): grant.role for grant in grants}

    async def role_now(self, source: Source) -> Role | None:
        """Return as what somebody speaks at this moment; None: they are a stranger."""
        key = (source.channel, person_of(source))
        if source.channel in OWNER_CHANNELS or key[1] in self._listed.get(source.channel, ()):
            return "owner"
        role = await self._pairings.role_of(*key)
        self.learn(*key, role)
        return role

    def learn(self, channel: str, person: str, role: Role | None) -> None:
        """Somebody was let in, or shut out."""
        if role is None:
            self._granted.pop((channel, person), None)
        else:
            self._granted[channel, person] = role

    def is_owner(self, source: Source) -> bool:
        """Return whether what comes from `source` is the owner's word."""
        person = person_of(source)
        return (
            source.channel in OWNER_CHANNELS
            or person in self._listed.get(source.channel, ())
            or self._granted.get((source.channel, person)) == "owner"
        )

    def is_guest(self, source: Source) -> bool:
        """Return whether what comes from `source` is the word of somebody who may talk and no more."""
        return not self.is_owner(source) and self._granted.get((source.channel, person_of(source))) == "guest"

    @property
    def owner_places(self) -> list[Source]:
        """Where an owner is spoken to alone, on platforms where others speak too."""
        listed = [place_of(channel, person) for channel, ids in self._listed.items() for person in sorted(ids)]
        granted = [place_of(*key) for key, role in self._granted.items() if role == "owner"]
        return list(dict.fromkeys([*listed, *granted]))
