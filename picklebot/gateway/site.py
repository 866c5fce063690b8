"""The application: the table of routes behind the guard.

Promises that every answer which is no success is JSON of one shape, 404 and 405 included. Knows no handler.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from picklebot.errors import PicklebotError
from picklebot.gateway.doorbook import DoorBook
from picklebot.gateway.endpoint import Endpoint
from picklebot.gateway.guard import Gatekeeper, Guard
from picklebot.gateway.hub import Hub
from picklebot.gateway.metrics import Metrics
from picklebot.gateway.names import Names
from picklebot.gateway.openapi import Description
from picklebot.gateway.refusals import on_error
from picklebot.gateway.secret import Secret
from picklebot.gateway.sockets import Sockets


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What is served, and what has to be known of it to run it."""

    app: ASGIApp
    description: Description
    hub: Hub
    metrics: Metrics
    sockets: Sockets
    secret: Secret
    book: DoorBook


def build(
    endpoints: Sequence[Endpoint],
    sockets: Mapping[str, Callable[[WebSocket], Awaitable[None]]],
    *,
    names: Names,
    keeper: Gatekeeper,
) -> ASGIApp:
    """Return the application that serves `endpoints`, and `sockets` by their paths."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for each in endpoints:
        by_path.setdefault(each.path, {})[each.method] = each
    routes: list[BaseRoute] = [WebSocketRoute(path, serve) for path, serve in sockets.items()]
    for path, methods in by_path.items():
        routes += [Route(path, each.answer, methods=[each.method]) for each in methods.values()]
    app = Starlette(
        routes=routes,
        exception_handlers={PicklebotError: on_error, HTTPException: on_error, Exception: on_error},
    )
    app.router.redirect_slashes = False
    return Guard(app, names=names, keeper=keeper, endpoints=endpoints)
