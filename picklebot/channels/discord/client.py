"""The discord.py client, made quiet: it hands on what came, and says by its errors what may be done next.

Promises that nothing of it runs on after the connection, and that no error shows the token. Knows no message.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, cast

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from picklebot.errors import ChannelUnavailable, DeliveryRejected

CLOUD = "https://discord.com"
_GATEWAY = "wss://gateway.discord.gg/"
WAITS = 30.0  #: seconds that a call may wait for Discord's pace; what has to wait longer is put off
HANGS_UP = 2.0  #: seconds for saying good-bye
TRIES = 2  #: connections in a row that may be lost before a greeting
ASIDES = 32  #: calls at once for which nobody waits
_GONE = frozenset({10003, 10008, 30046, 50005})  # no such channel or message, or it can no more be written over
_BAD_TOKEN = (
    "Discord does not know this bot's token: reset it in the developer portal, Bot, and put the new one in .env"  # noqa: S105  (words)
)
_REFUSED = {
    50001: "the bot does not see that channel",
    50007: "this person takes no messages from the bot: they have blocked it, or share no server with it",
    50013: "the bot may not write there: see its permissions",
}
_CLOSED = {
    4004: _BAD_TOKEN,
    4011: "Discord wants this bot to be sharded: it is in too many servers",
    4014: "Discord does not let this bot have what it asks for: see the developer portal, Bot, Privileged Intents",
}


class Gone(DeliveryRejected):
    """What was to be changed is not there any more."""


def serve_from(base_url: str) -> None:
    """Say where Discord is. discord.py knows one place for the whole process."""
    Route.BASE = f"{base_url}/api/v10"
    other = yarl.URL(base_url.replace("http", "ws", 1)) / "gateway"
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(_GATEWAY) if base_url == CLOUD else other


class Client(discord.Client):
    """Tells `hear` of what happens, as it happens."""

    def __init__(self, hear: Callable[[str, Any], None]) -> None:
        # None of these has to be applied for: Discord hands out the words of private messages and of those that name
        # the bot, and no others are heard.
        intents = discord.Intents.none()
        intents.guilds = intents.guild_messages = intents.dm_messages = True
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # nobody is going to talk
        super().__init__(
            intents=intents,
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=0.0,
            max_ratelimit_timeout=WAITS,
        )
        self.hear = hear
        self._lost = 0
        self._asides: set[asyncio.Task[None]] = set()

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Hand an event on. discord.py makes a lost connection again at once, for ever: here, a few times."""
        if event in {"connect", "resumed"}:
            self._lost = 0
        elif event == "disconnect":
            self._lost += 1
            if self._lost > TRIES:
                self.hear("gone", ChannelUnavailable("Discord closes every connection"))
        self.hear(event, args[0] if args else self)

    def aside(self, call: Coroutine[Any, Any, None]) -> None:
        """Make a call for which nobody waits; with too many of them, leave it. It raises nothing."""
        if len(self._asides) >= ASIDES:
            call.close()
            return
        task = asyncio.create_task(call, name="discord aside")
        self._asides.add(task)
        task.add_done_callback(self._asides.discard)

    async def hang_up(self) -> None:
        """Close the gateway, and leave what was begun aside. Messages can still be sent."""
        for task in (asides := tuple(self._asides)):
            task.cancel()
        await asyncio.gather(*asides, return_exceptions=True)
        gateway = cast("DiscordWebSocket | None", self.ws)  # None before the first greeting
        if gateway is not None and gateway.open:
            with suppress(TimeoutError):
                async with asyncio.timeout(HANGS_UP):
                    await gateway.close(code=1000)

    async def close(self) -> None:
        """Close every connection."""
        await self.hang_up()
        await super().close()


@asynccontextmanager
async def connected(
    client: Client, token: str, beside: Callable[[], Coroutine[Any, Any, None]]
) -> AsyncGenerator[None, None]:
    """Log `client` in and let it listen for as long as the block lasts; `beside` runs as long.

    It is told "connect" with itself on each greeting, and "gone" with an error at the end.

    Raises:
        ChannelUnavailable: Discord cannot be reached, or does not take the token.
    """
    failure: ChannelUnavailable | None = None
    with translated():
        await client.login(token)
    async with asyncio.TaskGroup() as group:
        running = (
            group.create_task(_listen(client), name="discord gateway"),
            group.create_task(beside(), name="discord bookmarks"),
        )
        try:
            yield
        except ChannelUnavailable as exc:  # not as one of a group
            failure = exc
        finally:
            for task in running:
                task.cancel()
            await client.hang_up()
    if failure is not None:
        raise failure


async def _listen(client: Client) -> None:
    try:
        with translated(), readable():
            await client.connect(reconnect=False)
    except (ChannelUnavailable, DeliveryRejected) as exc:
        client.hear("gone", ChannelUnavailable(str(exc)))
    else:
        client.hear("gone", ChannelUnavailable("Discord closed the connection"))


@contextmanager
def readable() -> Generator[None]:
    """Take what discord.py cannot read for trouble of Discord's.

    Raises:
        ChannelUnavailable: something came in a shape that nobody has seen yet.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as exc:
        raise ChannelUnavailable(f"Discord said what cannot be read ({type(exc).__name__}: {exc})") from exc


@contextmanager
def translated() -> Generator[None]:
    """Turn what discord.py raises into what the caller may do next.

    Raises:
        ChannelUnavailable: again later.
        DeliveryRejected: never; `Gone` where it is about something that is not there any more.
    """
    try:
        yield
    except discord.LoginFailure as exc:
        raise ChannelUnavailable(_BAD_TOKEN) from exc
    except discord.RateLimited as exc:
        raise ChannelUnavailable("Discord asks to wait", retry_after=exc.retry_after) from exc
    except discord.HTTPException as exc:
        raise _of_status(exc) from exc
    except (discord.ConnectionClosed, discord.PrivilegedIntentsRequired) as exc:
        code = getattr(exc, "code", 4014)
        raise ChannelUnavailable(_CLOSED.get(code, f"Discord closed the connection ({code})")) from exc
    except (aiohttp.ClientError, OSError, TimeoutError, discord.GatewayNotFound) as exc:
        reached = not isinstance(exc, aiohttp.ClientConnectorError)
        raise ChannelUnavailable(f"Discord cannot be reached ({type(exc).__name__})", unknown=reached) from exc
    except RuntimeError as exc:
        if str(exc) != "Session is closed":  # what aiohttp says of a call after the end of a connection
            raise
        raise ChannelUnavailable("Discord is not connected") from exc


def _of_status(exc: discord.HTTPException) -> ChannelUnavailable | DeliveryRejected:
    words = f"{exc.status}: {exc.text[:300]}" if exc.text else str(exc.status)
    match exc.status:
        case 429:
            return ChannelUnavailable("Discord asks to wait", retry_after=_seconds(exc.response.headers))
        case 401:
            return ChannelUnavailable(_BAD_TOKEN)
        case status if status >= 500:
            return ChannelUnavailable(f"Discord has trouble ({words})", unknown=True)
        case 404:
            return Gone(f"Discord refuses it: {words}")
        case _ if exc.code in _GONE:
            return Gone(f"Discord refuses it: {words}")
        case _:
            return DeliveryRejected(f"Discord refuses it: {_REFUSED.get(exc.code, words)}")


def _seconds(headers: Any) -> float | None:
    try:
        return max(float(headers.get("Retry-After", "")), 0.0)
    except ValueError:
        return None
