"""`/api/login` and `/login/<code>`: the link for a browser, and what it leads to.

Promises that the token itself never stands in an address, that the cookie is no script's to read and no other site's to
send, and that a wrong code is answered like any other wrong login. Knows no token.
"""

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from picklebot.gateway.doorbook import DoorBook
from picklebot.gateway.endpoint import Access, Endpoint
from picklebot.gateway.keeper import Keeper
from picklebot.gateway.logins import COOKIE_DAYS, LINK_MINUTES, Logins
from picklebot.gateway.refusals import Refused, reply
from picklebot.gateway.shown import Ok


class Link(BaseModel):
    """Where a browser may log in, once."""

    url: str
    expires_in_s: int


class LoginDesk:
    """Gives out links and cookies. `url` is where the gateway is."""

    def __init__(self, *, logins: Logins, keeper: Keeper, book: DoorBook, url: str, cookie: str) -> None:
        self._logins = logins
        self._keeper = keeper
        self._book = book
        self._url = url
        self._cookie = cookie

    def endpoints(self) -> list[Endpoint]:
        """Return the routes."""
        return [
            Endpoint(
                method="POST",
                path="/api/login",
                answer=self._link,
                summary="A one-time link for a browser.",
                access=Access.BEARER,
                shape=Link,
            ),
            Endpoint(
                method="POST", path="/api/logout", answer=self._leave, summary="End this browser's login.", shape=Ok
            ),
            Endpoint(
                method="GET",
                path="/login/{code}",
                answer=self._enter,
                summary="What the link leads to: sets the cookie, and goes on to the page.",
                access=Access.OPEN,
                status=303,
                media="",
            ),
        ]

    async def _link(self, request: Request) -> Response:
        self._book.jot("a login link was given out", _address(request))
        link = f"{self._url}/login/{self._logins.link()}"
        return reply({"url": link, "expires_in_s": LINK_MINUTES * 60})

    async def _enter(self, request: Request) -> Response:
        if request.method == "HEAD":  # whoever only looks whether the link is there must not spend it
            raise Refused(405, "method_not_allowed", "a login link takes GET", headers={"Allow": "GET"})
        cookie = self._logins.enter(request.path_params["code"])
        if cookie is None:
            self._keeper.count_failure(_address(request))
            raise Refused(
                401, "bad_link", "this link is spent or too old: `picklebot status` prints another", headers=_QUIET
            )
        self._book.jot("a browser was let in", _address(request))
        response = RedirectResponse("/", 303, headers=_QUIET)
        response.set_cookie(
            self._cookie, cookie, max_age=COOKIE_DAYS * 86400, path="/", httponly=True, samesite="strict"
        )
        return response

    async def _leave(self, request: Request) -> Response:
        if cookie := request.cookies.get(self._cookie):
            self._logins.leave(cookie)
            self._book.jot("a browser left", _address(request))
        response = reply({"status": "ok"})
        response.delete_cookie(self._cookie, path="/", httponly=True, samesite="strict")
        return response


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


_QUIET = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
