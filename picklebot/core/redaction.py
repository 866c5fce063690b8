"""Known secrets, taken out of text however they are encoded, also while it is still being spoken.

Promises that a text which is given in pieces comes out as it would in one: what may yet turn out to be a secret is held
back. Knows no log and no reply.
"""

import base64
import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, quote_plus

MIN_SECRET = 8  #: anything shorter would redact ordinary words
REDACTED = "[redacted]"
_MOST = 4096  # bytes of a file with a secret that are read


class SecretFile:
    """A secret that stands in a file, which may come later and change: a look at its inode tells."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, ...] | None = None
        self._text = ""

    def __call__(self) -> str:
        """Return the secret; "" while there is none."""
        try:
            status = self._path.stat()
            seen = (status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size)
            if seen != self._seen:
                with self._path.open("rb") as file:
                    self._text = file.read(_MOST).decode("utf-8", "replace").strip()
                self._seen = seen
        except OSError:
            return self._text  # what was a secret stays one
        return self._text


class Redactor:
    """Knows secrets, in every form in which they might slip out, and takes them out of text.

    `live` is asked for one more each time: what it has once returned stays a secret.
    """

    def __init__(self, secrets: Iterable[str] = (), *, live: Callable[[], str] = str) -> None:
        self._secrets: set[str] = set()
        self._live = live
        self._forms: list[str] = []
        self._first: frozenset[str] = frozenset()
        self._longest = 0
        self._pattern: re.Pattern[str] | None = None
        self._learn(secrets)

    def __call__(self, text: str) -> str:
        """Return `text` without them."""
        self._look()
        return self._pattern.sub(REDACTED, text) if self._pattern else text

    def within(self, value: Any) -> Any:
        """Return a value of JSON without them."""
        match value:
            case str():
                return self(value)
            case list():
                return [self.within(each) for each in cast("Sequence[Any]", value)]
            case dict():
                return {self(key): self.within(each) for key, each in cast("dict[str, Any]", value).items()}
            case _:
                return value

    def stream(self) -> "Speech":
        """Return what takes them out of a text that comes in pieces."""
        return Speech(self)

    def settled(self, text: str) -> int:
        """Return how much of the beginning of `text` holds no beginning of a secret that may go on behind its end."""
        self._look()
        if self._pattern is None:
            return len(text)
        at = self._open(text, max(len(text) - self._longest + 1, 0))
        for found in self._pattern.finditer(text):
            if found.start() < at < found.end():  # a secret that is whole, whose end could be another one's beginning
                at = self._open(text, found.end())
        return at

    def _look(self) -> None:
        if (secret := self._live()) and secret not in self._secrets:
            self._learn([secret])

    def _learn(self, secrets: Iterable[str]) -> None:
        self._secrets |= {*secrets}
        long_enough = [secret for secret in self._secrets if len(secret) >= MIN_SECRET]
        self._forms = sorted({form for secret in long_enough for form in _forms(secret)})
        self._first = frozenset(form[0] for form in self._forms)
        self._longest = max(map(len, self._forms), default=0)
        longest_first = sorted(self._forms, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if self._forms else None

    def _open(self, text: str, start: int) -> int:
        """Return where, from `start` on, a secret begins that `text` does not end; its length if nowhere."""
        for at in range(start, len(text)):
            if text[at] in self._first:
                begun = text[at:]
                place = bisect_left(self._forms, begun)
                while place < len(self._forms) and self._forms[place] == begun:
                    place += 1
                if place < len(self._forms) and self._forms[place].startswith(begun):
                    return at
        return len(text)


class Speech:
    """A text that comes in pieces."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._held = ""

    def feed(self, piece: str) -> str:
        """Return what may be heard by now."""
        text = self._held + piece
        at = self._redactor.settled(text)
        self._held = text[at:]
        return self._redactor(text[:at])

    def end(self) -> str:
        """Return what was held back."""
        held, self._held = self._held, ""
        return self._redactor(held)


def _forms(secret: str) -> Iterator[str]:
    """Yield the spellings of one secret: as it is, quoted for JSON, Python and addresses, in hex and in base64."""
    for escaped in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield from (escaped, escaped.replace("\\", "\\\\"))  # doubled: JSON inside a repr, as bodies are often logged
    raw = secret.encode("utf-8", "surrogatepass")
    for quoted in (quote(raw), quote(raw, safe=""), quote_plus(raw)):
        yield from (quoted, re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), quoted))
    yield from (raw.hex(), raw.hex().upper())
    # Inside a longer text a secret may begin at any of three bits of a base64 letter; the letters that it shares with
    # its neighbours are left out.
    for shift, start in ((0, 0), (1, 2), (2, 3)):
        whole_letters = (shift + len(raw)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(bytes(shift) + raw)[start:whole_letters].decode("ascii")
