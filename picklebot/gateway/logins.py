"""How a browser comes in: a one-time link, and the cookie that it is exchanged for.

Promises that a link works once and for ten minutes, that only digests of links and cookies are kept, that a login
outlives a restart and not the token it was begun with, and that both are bounded in number. Knows no request.
"""

import hashlib
import json
import logging
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from picklebot.gateway.secret import Secret

logger = logging.getLogger(__name__)

LINK_MINUTES, COOKIE_DAYS = 10, 30
MOST_LINKS, MOST_LOGINS = 16, 64  #: the oldest go


@dataclass(frozen=True, slots=True)
class Login:
    """A browser that is logged in: the digest of its cookie, of the token it was begun with, and its end."""

    cookie: str
    token: str
    until: str


class Logins:
    """The logins of one gateway."""

    def __init__(self, file: Path, *, secret: Secret, now: Callable[[], datetime]) -> None:
        self._file = file
        self._secret = secret
        self._now = now
        self._links: dict[str, datetime] = {}
        self._logins = {login.cookie: login for login in _load(file)}

    def link(self) -> str:
        """Return the code of a new link."""
        code = secrets.token_urlsafe(32)
        self._links[_digest(code)] = self._now() + timedelta(minutes=LINK_MINUTES)
        while len(self._links) > MOST_LINKS:
            del self._links[next(iter(self._links))]
        return code

    def enter(self, code: str) -> str | None:
        """Return a new cookie for the code of a link, which is spent; None where it is none, or too old."""
        until = self._links.pop(_digest(code), None)
        token = self._token()
        if until is None or until <= self._now() or token is None:
            return None
        cookie = secrets.token_urlsafe(32)
        login = Login(_digest(cookie), token, (self._now() + timedelta(days=COOKIE_DAYS)).isoformat())
        self._logins[login.cookie] = login
        self._save()
        return cookie

    def knows(self, cookie: str) -> bool:
        """Return whether a cookie is that of a login which holds."""
        login = self._logins.get(_digest(cookie))
        return login is not None and self._holds(login)

    def leave(self, cookie: str) -> None:
        """End a login."""
        if self._logins.pop(_digest(cookie), None) is not None:
            self._save()

    def _holds(self, login: Login) -> bool:
        return login.token == self._token() and datetime.fromisoformat(login.until) > self._now()

    def _token(self) -> str | None:
        """Return what stands for the token in a file: a digest of its digest."""
        digest = self._secret.digest()
        return None if digest is None else hashlib.sha256(b"login" + digest).hexdigest()

    def _save(self) -> None:
        held = [login for login in self._logins.values() if self._holds(login)][-MOST_LOGINS:]
        self._logins = {login.cookie: login for login in held}
        draft = self._file.with_suffix(".tmp")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump([asdict(login) for login in held], file)
        draft.replace(self._file)


def _digest(text: str) -> str:
    # Looked up by its digest: how long that takes says nothing about the text.
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _load(file: Path) -> list[Login]:
    try:
        found = [Login(**each) for each in json.loads(file.read_text())]
        for login in found:
            datetime.fromisoformat(login.until)
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as exc:
        logger.warning("%s cannot be read, so browsers have to log in again: %s", file, exc)
        return []
    return found
