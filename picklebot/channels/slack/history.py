"""What was said in Slack before: what was missed, and whether a message of ours is there already.

Promises that what a place holds is given oldest first, in whichever order Slack gives its pages. Knows no conversation.
"""

import logging
from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from typing import Any

from picklebot.channels.slack.api import SlackApi
from picklebot.channels.slack.fields import Fields, many, within
from picklebot.channels.slack.updates import place
from picklebot.clock import Clock
from picklebot.errors import ChannelUnavailable

logger = logging.getLogger(__name__)

PAGE = 200  #: messages of one answer, the most that Slack recommends
MISSED = 20_000  #: messages of one place that are read after an absence; of more, the newest
PATIENCE = 20  #: times that Slack may ask to wait
WAITS = 60.0  #: seconds that it may ask for
SKEW = 600.0  #: seconds by which its clock may be behind ours
KIND = "picklebot_reply"  #: what the metadata of our messages is called
_KEPT = (
    "user",
    "text",
    "ts",
    "thread_ts",
    "files",
    "attachments",
    "subtype",
    "bot_id",
    "user_team",
    "source_team",
    "team",
)


def ordinal(ts: str) -> int:
    """Return a number by which the messages of one place are in order."""
    seconds, _, micros = ts.partition(".")
    return int(seconds) * 1_000_000 + int(f"{micros}000000"[:6])


async def missed(api: SlackApi, where: str, mark: str, clock: Clock, *, patience: int = PATIENCE) -> list[Fields]:
    """Return what was said at a place after `mark`, oldest first. Slack may ask to wait `patience` times.

    Raises:
        ChannelError: it cannot be read.
    """
    found: dict[int, Fields] = {}
    async for page in _pages(api, where, mark, clock, patience=patience):
        for message in page:
            if (number := ordinal(str(message.get("ts", "0")))) > ordinal(mark):
                found[number] = {key: message[key] for key in _KEPT if key in message}
        if len(found) >= MISSED:
            logger.warning("slack: more than %s messages were missed in %s: the oldest are left out", MISSED, where)
            break
    return [found[number] for number in sorted(found)]


async def parts_there(
    api: SlackApi, room: str, thread: str | None, *, key: str, since: datetime, clock: Clock
) -> dict[int, str]:
    """Return the parts of our message `key` that are there, each with its id; none is older than `since`.

    Raises:
        ChannelError: nobody can say.
    """
    oldest, found = f"{since.timestamp() - SKEW:.6f}", dict[int, str]()
    async for page in _pages(api, place(room, thread), oldest, clock, metadata=True):
        for message in page:
            match message.get("metadata"):
                case {"event_type": kind, "event_payload": {"key": given, "part": int(part)}}:
                    if kind == KIND and given == key:
                        found[part] = str(message["ts"])
                case _:
                    continue
    return found


def mark_of(key: str, part: int) -> Mapping[str, Any]:
    """Return the metadata by which a part of a message is found again."""
    return {"event_type": KIND, "event_payload": {"key": key, "part": part}}


async def _pages(
    api: SlackApi, where: str, oldest: str, clock: Clock, *, metadata: bool = False, patience: int = PATIENCE
) -> AsyncGenerator[list[Fields], None]:
    room, _, thread = where.partition("/")
    cursor, waits = "", 0
    while True:
        given: dict[str, Any] = {"channel": room, "oldest": oldest, "limit": PAGE, "cursor": cursor or None}
        given["include_all_metadata"] = metadata or None
        ask = api.web.conversations_replies(ts=thread, **given) if thread else api.web.conversations_history(**given)
        try:
            answer = await api.call(ask)
        except ChannelUnavailable as exc:
            waits += 1
            if exc.retry_after is None or waits > patience:
                raise
            await clock.sleep(min(exc.retry_after, WAITS))
            continue
        yield many(answer, "messages")
        cursor = str(within(answer, "response_metadata").get("next_cursor") or "")
        if not cursor:
            return
