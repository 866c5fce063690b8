"""Socket Mode: what happens in Slack, over WebSockets that Slack replaces every few hours.

See https://docs.slack.dev/apis/events-api/using-socket-mode. Promises that a connection which Slack wants replaced is
read until its successor listens and it ends itself, and that an envelope is acknowledged only when that is asked for; one
that is not comes again. Knows no message.

slack_sdk has clients for this. They keep envelopes in a queue without bound, begin tasks that nobody owns, close the
old connection before they open the new one, and try a refused token forever and in silence; so only their shapes are used.
"""

import asyncio
import json
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import aiohttp
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from picklebot.channels.slack.api import SlackApi
from picklebot.channels.slack.fields import Fields
from picklebot.errors import ChannelUnavailable

logger = logging.getLogger(__name__)

Frame: TypeAlias = dict[str, Any]

ROOM = 100  #: envelopes that were read and not taken; with more, Slack keeps them
GREETS = 20.0  #: seconds until a connection says hello
LINGERS = 60.0  #: seconds that a connection which was replaced may go on
_REASONS = {
    "link_disabled": "Socket Mode is off for this app: turn it on at https://api.slack.com/apps",
    "too_many_websockets": "too many programs listen for this app",
}
_LAST = (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What happened, and the connection that told of it."""

    kind: str
    id: str
    payload: Fields
    line: "Line"


class Line:
    """One connection, from its greeting to its end."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    @classmethod
    async def open(cls, api: SlackApi) -> "Line":
        """Connect, and wait until Slack has greeted.

        Raises:
            ChannelUnavailable: it does not.
        """
        line, greeting = cls(await api.socket()), Frame()
        try:
            async with asyncio.timeout(GREETS):
                greeting = await line.frame() or greeting
            if greeting.get("type") != "hello":
                raise ended(greeting)
        except TimeoutError as exc:
            raise ChannelUnavailable(f"Slack has not greeted within {GREETS:.0f} s") from exc
        finally:
            if greeting.get("type") != "hello":
                await line.aclose()
        return line

    async def frame(self) -> Frame | None:
        """Return what Slack says next; None at the end of the connection."""
        while (message := await self._socket.receive()).type not in _LAST:
            if message.type is aiohttp.WSMsgType.TEXT:
                with suppress(ValueError):
                    frame = json.loads(message.data)
                    if isinstance(frame, dict):
                        return cast("Frame", frame)
        return None

    async def acknowledge(self, envelope_id: str) -> None:
        """Say that an envelope was taken. Where the connection is gone, it will come again."""
        response = cast("Any", SocketModeResponse(envelope_id))
        with suppress(aiohttp.ClientError, OSError):
            await self._socket.send_str(json.dumps(response.to_dict()))

    async def aclose(self) -> None:
        """Hang up."""
        await self._socket.close()


class Lines:
    """Listens for an app: on one connection, or on two while one takes over from the other."""

    def __init__(self, api: SlackApi, first: Line) -> None:
        self._api = api
        self._newest = first
        self._heard: asyncio.Queue[Envelope | ChannelUnavailable] = asyncio.Queue(ROOM)
        self._end: ChannelUnavailable | None = None

    async def next(self, *, within: float | None = None) -> Envelope | None:
        """Return what happened next; None where nothing does within so many seconds.

        Raises:
            ChannelUnavailable: nobody listens any more.
        """
        heard: Envelope | ChannelUnavailable | None = self._end
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                heard = heard or await self._heard.get()
        if isinstance(heard, ChannelUnavailable):
            raise heard
        return heard

    def end(self, why: ChannelUnavailable) -> None:
        """Let whoever waits for what happens next hear that nothing will."""
        self._end = why
        with suppress(asyncio.QueueFull):  # they do not wait
            self._heard.put_nowait(why)

    async def listen(self) -> None:
        """Listen until cancelled, or until Slack cannot be listened to."""
        async with asyncio.TaskGroup() as group:
            await self._follow(self._newest, group)

    async def _follow(self, line: Line, group: asyncio.TaskGroup) -> None:
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(None) as limit:
                    while (frame := await line.frame()) is not None:
                        if frame.get("type") == "disconnect":
                            await self._replace(line, frame, group)
                            limit.reschedule(asyncio.get_running_loop().time() + LINGERS)
                        elif (request := _request(frame)) is not None:
                            await self._heard.put(
                                Envelope(kind=request.type, id=request.envelope_id, payload=request.payload, line=line)
                            )
            if line is self._newest:
                self.end(ChannelUnavailable("Slack closed the connection"))
        except (ChannelUnavailable, aiohttp.ClientError, OSError) as exc:
            self.end(
                exc if isinstance(exc, ChannelUnavailable) else ChannelUnavailable("the connection to Slack broke")
            )
        finally:
            await line.aclose()

    async def _replace(self, line: Line, frame: Frame, group: asyncio.TaskGroup) -> None:
        if frame.get("reason") in _REASONS:
            raise ended(frame)
        if line is self._newest:
            self._newest = await Line.open(self._api)
            group.create_task(self._follow(self._newest, group), name="slack socket")
            logger.debug("slack: a connection takes over from another")


def ended(frame: Frame) -> ChannelUnavailable:
    """Return why Slack does not listen."""
    reason = str(frame.get("reason", "it said nothing"))[:100]
    return ChannelUnavailable(_REASONS.get(reason, f"Slack closed the connection ({reason})"))


def _request(frame: Frame) -> Any:
    """Return a frame as a `SocketModeRequest`; None where it is none."""
    try:
        return cast("Any", SocketModeRequest).from_dict(frame)
    except ValueError:  # its payload has no shape
        return None
