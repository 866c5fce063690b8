"""The terminal's channel: what is shown is delivered, and nothing else is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from picklebot.channels.base import Accepted, Incoming
from picklebot.channels.terminal import TerminalChannel, whoami
from picklebot.core.source import Source
from picklebot.errors import ChannelUnavailable, QueueFull


@pytest.fixture
def channel() -> TerminalChannel:
    return TerminalChannel("ann")


@asynccontextmanager
async def sending(channel: TerminalChannel, key: str, content: str = "hello") -> AsyncIterator[asyncio.Task[str]]:
    """Send a reply as the delivery worker does, and wait until it is at the screen."""
    async with asyncio.timeout(5):
        task = asyncio.create_task(channel.send(channel.source, content, key=key))
        await channel.tray.unseen()
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait({task})


async def receive(channel: TerminalChannel) -> Incoming:
    async with channel.connect() as messages, asyncio.timeout(5):
        return await anext(messages)


async def test_what_is_said_arrives_with_its_wishes_and_a_key_of_its_own(channel: TerminalChannel) -> None:
    keys: set[str] = set()
    for _ in range(2):
        saying = asyncio.create_task(channel.say("hi", agent="cookie", session="s1", new_session=True))
        incoming = await receive(channel)
        assert incoming.source == Source("cli", ("ann",))
        assert (incoming.content, incoming.agent, incoming.session, incoming.new_session) == (
            "hi",
            "cookie",
            "s1",
            True,
        )
        accepted = Accepted(event_id="e1", session_id="s1")
        incoming.settle(accepted)
        assert await saying == accepted
        keys.add(incoming.key)
    assert len(keys) == 2


async def test_a_refusal_is_raised_where_it_was_said(channel: TerminalChannel) -> None:
    saying = asyncio.create_task(channel.say("hi"))
    (await receive(channel)).settle(QueueFull("too many"))
    with pytest.raises(QueueFull, match="too many"):
        await saying


async def test_a_verdict_for_somebody_who_left_troubles_nobody(channel: TerminalChannel) -> None:
    saying = asyncio.create_task(channel.say("hi"))
    incoming = await receive(channel)
    saying.cancel()
    await asyncio.wait({saying})
    incoming.settle(Accepted(event_id="e1", session_id="s1"))


async def test_a_reply_is_delivered_once_it_was_shown_and_not_before(channel: TerminalChannel) -> None:
    async with sending(channel, "k1") as task:
        assert [(reply.key, reply.content) for reply in channel.tray.waiting] == [("k1", "hello")]
        assert not task.done()
        channel.tray.shown("k1")
        assert await task == ""
    assert channel.tray.waiting == []
    assert channel.tray.unsent == frozenset()


async def test_a_reply_that_was_shown_before_it_was_sent_is_delivered_at_once(channel: TerminalChannel) -> None:
    channel.tray.shown("k1")
    assert channel.tray.unsent == {"k1"}
    assert await channel.send(channel.source, "hello", key="k1") == ""
    assert channel.tray.unsent == frozenset()


async def test_a_terminal_that_closes_leaves_what_it_did_not_show_for_the_next(channel: TerminalChannel) -> None:
    async with sending(channel, "k1") as task:
        channel.tray.close()
        with pytest.raises(ChannelUnavailable):
            await task
    with pytest.raises(ChannelUnavailable):
        await channel.send(channel.source, "later", key="k2")


async def test_a_reply_for_somebody_else_is_not_shown_here(channel: TerminalChannel) -> None:
    with pytest.raises(ChannelUnavailable, match="cli:bob"):
        await channel.send(Source("cli", ("bob",)), "secret", key="k1")


async def test_a_delivery_that_was_given_up_is_not_shown(channel: TerminalChannel) -> None:
    async with sending(channel, "k1"):
        pass
    assert channel.tray.waiting == []


def test_the_person_has_a_name_even_where_the_system_knows_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "")
    assert whoami()
    monkeypatch.setenv("LOGNAME", "a" * 500)
    assert whoami() == "a" * 64
