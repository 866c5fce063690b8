"""What Slack makes of the messages that it is given, seen from the channel."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from picklebot.channels.base import Letter, SentFile
from picklebot.channels.slack import create
from picklebot.channels.slack.channel import SlackChannel
from picklebot.core.source import Source
from picklebot.errors import ChannelError, ChannelUnavailable, DeliveryRejected
from tests.channels.slack_platform import APP_TOKEN, HALL, TOKEN, SlackPlatform

ANN = Source("slack", ("U1", "U1"))


@pytest.fixture
async def slack() -> AsyncIterator[SlackPlatform]:
    platform = SlackPlatform()
    await platform.start()
    yield platform
    await platform.stop()


@pytest.fixture
async def channel(slack: SlackPlatform) -> AsyncIterator[SlackChannel]:
    made = create(name="slack", token=TOKEN, app_token=APP_TOKEN, base_url=f"{slack.url}/api")
    yield made
    await made.aclose()


async def test_what_slack_refuses_is_final_or_not_and_no_error_shows_a_token(
    slack: SlackPlatform, channel: SlackChannel
) -> None:
    answers: list[tuple[Any, type[ChannelError], str]] = [
        ("is_archived", DeliveryRejected, "the channel is archived"),
        ("account_inactive", DeliveryRejected, "was removed from the workspace"),
        ("some_new_word", DeliveryRejected, "some_new_word"),
        ("token_revoked", ChannelUnavailable, "revoked"),
        ("internal_error", ChannelUnavailable, "has trouble"),
        (web.Response(status=503), ChannelUnavailable, "503"),
        (7, ChannelUnavailable, "asks to wait"),
    ]
    for answer, kind, said in answers:
        slack.troubles["chat.postMessage"] = [answer]
        with pytest.raises(kind, match=said) as caught:
            await channel.send(ANN, "hi", key="1")
        assert getattr(caught.value, "retry_after", None) == (7.0 if answer == 7 else None)
    for nobody in (("U1", "C404"), ("ann", "general"), ("U1",)):
        with pytest.raises(DeliveryRejected, match=r"no such conversation|names nobody"):
            await channel.send(Source("slack", nobody), "hi", key="2")
    assert await channel.send(ANN, "  ", key="3") == ""
    gone = Source(
        "slack", ("U1", HALL, "1.2")
    )  # whoever began the thread took that back: the reply is below no message
    await channel.deliver(gone, Letter(content="still", key="4", tried_since=datetime(2026, 1, 1, tzinfo=UTC)))
    assert slack.texts(HALL) == ["still"]
    await slack.stop()
    with pytest.raises(ChannelUnavailable) as caught:
        await channel.send(ANN, "hi", key="5")
    assert "loopback-slack" not in f"{caught.value!r} {caught.value.__cause__!r}"


async def test_a_file_whose_fate_is_unknown_is_looked_at_before_it_is_shared_again(
    slack: SlackPlatform, channel: SlackChannel
) -> None:
    report = SentFile(name="report.pdf", content=b"%PDF-1.7")
    for trouble in ("internal_error", "lost"):
        slack.shared.clear()
        slack.troubles["files.completeUploadExternal"] = [trouble]
        letter = Letter(content="here", key=trouble, files=[report])
        with pytest.raises(ChannelUnavailable):
            await channel.deliver(ANN, letter)
        assert len(slack.shared) == (1 if trouble == "lost" else 0)
        await channel.deliver(ANN, letter)
        assert slack.shared == [("D1", "report.pdf", b"%PDF-1.7")]
    assert slack.texts("D1") == ["here", "here"], "each once"
