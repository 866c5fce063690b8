"""The token that opens the gateway: kept in a file of its own, or given by the environment.

Promises 256 bits from the system's generator, a file that only its owner can read, and that a file which is changed or
removed counts from the next question on. Only digests are compared, and in constant time. Knows no request.
"""

import hashlib
import hmac
import logging
import os
import secrets
from pathlib import Path
from typing import Protocol

from picklebot.errors import ConfigError

logger = logging.getLogger(__name__)

SHORTEST = 24  #: characters of a token that somebody chose
_MOST = 4096  #: bytes of a token file that are read


class Secret(Protocol):
    """Knows the token."""

    def digest(self) -> bytes | None:
        """Return the SHA-256 of the token in force; None: nothing opens the gateway now."""
        ...


def digest_of(text: str) -> bytes:
    """Return the SHA-256 of some text, whatever characters it has."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def opens(secret: Secret, given: str) -> bool:
    """Return whether `given` is the token."""
    wanted = secret.digest()
    return wanted is not None and hmac.compare_digest(wanted, digest_of(given))


class FixedToken:
    """A token from the environment."""

    def __init__(self, token: str, *, variable: str) -> None:
        if len(token) < SHORTEST:
            raise ConfigError(
                f"gateway.token_env: the token in {variable} has {len(token)} characters, and {SHORTEST} are needed: "
                "`openssl rand -hex 32` makes a good one"
            )
        self._digest = digest_of(token)

    def digest(self) -> bytes | None:
        """Return the SHA-256 of the token."""
        return self._digest


class TokenFile:
    """A token in a file of the state folder. Made on the first run; write another into it, or remove it, to rotate."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, ...] | None = None
        self._digest: bytes | None = None

    def prepare(self) -> None:
        """Make the file if there is none.

        Raises:
            ConfigError: it cannot be made.
        """
        try:
            _make(self._path)
        except FileExistsError:
            return
        except OSError as exc:
            raise ConfigError(f"the token cannot be kept in {self._path}: {exc.strerror}") from exc

    def digest(self) -> bytes | None:
        """Return the SHA-256 of what the file holds now. Costs a look at its inode while it stays what it is."""
        try:
            seen = self._look()
            if seen != self._seen:
                self._digest = digest_of(self._read())
                self._seen = seen
        except (OSError, ConfigError) as exc:
            if self._digest is not None:
                logger.critical("nobody is let in any more: %s", exc)
            self._seen = self._digest = None
        return self._digest

    def _look(self) -> tuple[int, ...]:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self.prepare()
            logger.warning("the token file was removed, so there is a new token in %s", self._path)
            status = self._path.stat()
        return (status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size)

    def _read(self) -> str:
        with self._path.open("rb") as file:
            token = file.read(_MOST).decode("utf-8", "surrogateescape").strip()
        if len(token) < SHORTEST:
            raise ConfigError(f"{self._path} holds fewer than {SHORTEST} characters; remove it, and a new one is made")
        return token


def _make(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        os.write(descriptor, f"{secrets.token_urlsafe(32)}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
