"""Who may come in: the bearer of the token.

Promises that only what is valid counts, wherever a request comes from, that a token is taken from the `Authorization`
header and nowhere else, and that every refusal is the same. Knows no route.
"""

from collections.abc import Mapping, Sequence

from picklebot.gateway.guard import Caller
from picklebot.gateway.refusals import Refused
from picklebot.gateway.secret import Secret, opens

_SCHEME = "bearer"


class Keeper:
    """Lets in who has the token."""

    def __init__(self, *, secret: Secret) -> None:
        self._secret = secret

    def admit(self, headers: Mapping[str, Sequence[str]], address: str) -> Caller:
        """Return who asks.

        Raises:
            Refused: nobody who is known.
        """
        given = headers.get("authorization", ())
        if len(given) == 1:
            scheme, _, token = given[0].partition(" ")
            if scheme.lower() == _SCHEME and opens(self._secret, token.strip()):
                return Caller(browser=False)
        raise Refused(
            401,
            "unauthorized",
            "send Authorization: Bearer and the token",
            headers={"WWW-Authenticate": "Bearer", "Connection": "close"},
        )
