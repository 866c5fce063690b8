"""Who may come in: the bearer of the token, or a browser that was let in with it.

Promises that only what is valid counts, wherever a request comes from and whatever else it claims; that a token is
taken from the `Authorization` header and nowhere else; that whoever is wrong hears the same each time, and after a few
times only that it is too often. Whoever is right is let in even then: nobody can lock the owner out. Knows no route.
"""

import math
from collections.abc import Mapping, Sequence
from http.cookies import CookieError, SimpleCookie

from picklebot.gateway.doorbook import DoorBook
from picklebot.gateway.guard import Caller
from picklebot.gateway.logins import Logins
from picklebot.gateway.refusals import Refused
from picklebot.gateway.secret import Secret, opens
from picklebot.gateway.throttle import Throttle

_SCHEME = "bearer"


class Keeper:
    """Lets in who has the token, or the cookie called `cookie`."""

    def __init__(self, *, secret: Secret, logins: Logins, throttle: Throttle, book: DoorBook, cookie: str) -> None:
        self._secret = secret
        self._logins = logins
        self._throttle = throttle
        self._book = book
        self._cookie = cookie

    def admit(self, headers: Mapping[str, Sequence[str]], address: str) -> Caller:
        """Return who asks.

        Raises:
            Refused: nobody who is known.
        """
        authorization = headers.get("authorization", ())
        if len(authorization) == 1:
            scheme, _, token = authorization[0].partition(" ")
            if scheme.lower() == _SCHEME and opens(self._secret, token.strip()):
                return Caller(browser=False)
        cookie = None if authorization else cookie_in(headers, self._cookie)
        if cookie is not None and self._logins.knows(cookie):
            return Caller(browser=True)
        if authorization or cookie is not None:
            self.count_failure(address)
        raise Refused(
            401,
            "unauthorized",
            "send Authorization: Bearer and the token, or open the link that `picklebot status` prints",
            headers={"WWW-Authenticate": "Bearer"},
        )

    def count_failure(self, address: str) -> None:
        """Remember that somebody there was wrong.

        Raises:
            Refused: it was too often.
        """
        self._book.wrong(address)
        if (seconds := self._throttle.fail(address)) is not None:
            raise Refused(
                429, "too_many_failures", "too many failed logins", headers={"Retry-After": str(math.ceil(seconds))}
            )


def cookie_in(headers: Mapping[str, Sequence[str]], name: str) -> str | None:
    """Return the value of a cookie, if a request has it once."""
    try:
        jar = SimpleCookie("; ".join(headers.get("cookie", ())))
    except CookieError:
        return None
    return jar[name].value if name in jar else None
