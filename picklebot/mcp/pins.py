"""What each server offered when its owner let it in. A tool that says something else today is not used.

A server may change the words that a model reads at any time, and with them what the model does. So the words that were
seen first stay in force, in a file of the state folder, until the owner takes the new ones. Promises an atomic file.
Knows no connection.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from picklebot.core.proposals import visible
from picklebot.errors import ConfigError
from picklebot.tools.beneath import replace_file

MAX_BYTES = 16_000_000  #: of the file


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A tool as its server describes it. `harmless`: the server says that it changes nothing."""

    name: str
    description: str
    input_schema: Mapping[str, Any] = field(default_factory=dict[str, Any])
    harmless: bool = False

    @property
    def digest(self) -> str:
        """What binds the owner's consent to exactly these words."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    @property
    def is_plain(self) -> bool:
        """Whether an eye can see all that a model would read; else nobody lets it in unasked."""
        text = "\n".join((self.name, self.description, json.dumps(self.input_schema, ensure_ascii=False)))
        return visible(text) == text


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How what a server offers differs from what was let in."""

    changed: Sequence[str] = ()
    added: Sequence[str] = ()
    gone: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.gone)

    def __str__(self) -> str:
        parts = (("changed", self.changed), ("new", self.added), ("gone", self.gone))
        return "; ".join(f"{word}: {', '.join(names)}" for word, names in parts if names)


class Pins:
    """The offers that were let in, by server, and what was noticed of each since."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def of(self, server: str) -> Sequence[Offer] | None:
        """Return what was let in of a server; None if it was never seen.

        Raises:
            ConfigError: the file is damaged.
        """
        known = self._read().get(server)
        return None if known is None else [Offer(**offer) for offer in known["offers"]]

    def is_read(self, server: str) -> bool:
        """Return whether its owner was shown what was let in."""
        known = self._read().get(server)
        return known is not None and bool(known.get("read"))

    def noticed(self, server: str) -> str:
        """Return how the server differed the last time it was spoken to; "" if it did not."""
        known = self._read().get(server)
        return "" if known is None else str(known["noticed"])

    def let_in(self, server: str, offers: Sequence[Offer], *, read: bool) -> None:
        """Take what a server offers as what it may offer from now on. `read`: its owner was shown it."""
        every = self._read()
        sorted_offers = sorted(offers, key=lambda offer: offer.name)
        every[server] = {"offers": [asdict(offer) for offer in sorted_offers], "noticed": "", "read": read}
        self._write(every)

    def note(self, server: str, words: str) -> None:
        """Keep how a server differs from what was let in, for whoever asks later."""
        every = self._read()
        if server in every and every[server]["noticed"] != words:
            every[server]["noticed"] = words
            self._write(every)

    def _read(self) -> dict[str, Any]:
        try:
            with self._path.open("rb") as file:
                every = json.loads(file.read(MAX_BYTES))
        except FileNotFoundError:
            return {}
        except ValueError as exc:
            raise ConfigError(f"{self._path} is damaged ({exc}); remove it, and servers are let in anew") from exc
        if not isinstance(every, dict):
            raise ConfigError(f"{self._path} is damaged; remove it, and servers are let in anew")
        return cast("dict[str, Any]", every)

    def _write(self, every: Mapping[str, Any]) -> None:
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            replace_file(folder, self._path.name, json.dumps(every, indent=1).encode(), mode=0o600)
        finally:
            os.close(folder)


def drift(known: Sequence[Offer], offered: Sequence[Offer]) -> Drift:
    """Compare what a server offers with what was let in."""
    before = {offer.name: offer.digest for offer in known}
    now = {offer.name: offer.digest for offer in offered}
    return Drift(
        changed=sorted(name for name in before.keys() & now.keys() if before[name] != now[name]),
        added=sorted(now.keys() - before.keys()),
        gone=sorted(before.keys() - now.keys()),
    )
