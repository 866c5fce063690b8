"""The fakes keep the promises of the seams that they stand in for."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from picklebot.channels.base import Accepted, Channel, Incoming
from picklebot.clock import Clock
from picklebot.core.messages import Message
from picklebot.core.source import Source
from picklebot.errors import ChannelUnavailable, DeliveryRejected, ModelUnavailable, QueueFull
from picklebot.models.base import Model, ModelEvent, ModelReply, ModelRequest, TextChunk, ThinkingChunk, Usage
from picklebot.testing import FakeChannel, FakeClock, Line, ScriptedModel

START = datetime(2030, 1, 1, tzinfo=UTC)
CALL: dict[str, object] = {"type": "tool_use", "id": "c1", "name": "look", "input": {}}
ANN = Source("fake", ("ann",))


def asking(text: str = "hi") -> ModelRequest:
    return ModelRequest(system="", messages=[Message.user(text)])


async def events(model: Model, request: ModelRequest | None = None) -> list[ModelEvent]:
    return [event async for event in model.stream(request or asking())]


async def answer(model: Model, request: ModelRequest | None = None) -> ModelReply:
    last = (await events(model, request))[-1]
    assert isinstance(last, ModelReply)
    return last


async def test_a_scripted_text_comes_in_pieces_and_then_whole() -> None:
    *chunks, reply = await events(ScriptedModel("hello Ann"))
    assert len(chunks) > 1
    assert "".join(chunk.text for chunk in chunks if isinstance(chunk, TextChunk)) == "hello Ann"
    assert isinstance(reply, ModelReply)
    assert (reply.message.text, reply.stop_reason, reply.model) == ("hello Ann", "end_turn", "scripted")
    assert reply.usage.output_tokens > 0


async def test_a_scripted_message_with_a_call_stops_for_the_tool() -> None:
    message = Message("assistant", ({"type": "thinking", "thinking": "hm"}, CALL))
    *chunks, reply = await events(ScriptedModel(message))
    assert isinstance(reply, ModelReply)
    assert (reply.message, reply.stop_reason) == (message, "tool_use")
    assert chunks == [ThinkingChunk("h"), ThinkingChunk("m")]


async def test_a_scripted_reply_is_given_as_it_is() -> None:
    reply = ModelReply(message=Message.assistant("cut"), stop_reason="max_tokens", usage=Usage(output_tokens=7))
    assert await answer(ScriptedModel(reply)) is reply


async def test_a_scripted_error_is_raised_and_the_next_line_follows() -> None:
    model = ScriptedModel(ModelUnavailable("overloaded"), "fine")
    with pytest.raises(ModelUnavailable, match="overloaded"):
        await answer(model)
    assert (await answer(model)).message.text == "fine"


async def test_a_scripted_function_sees_the_request_and_may_wait() -> None:
    asked = asyncio.Event()

    async def later(request: ModelRequest) -> Line:
        await asked.wait()
        return lambda same: f"{request is same}: {request.messages[0].text}"

    async with asyncio.TaskGroup() as group:
        task = group.create_task(answer(ScriptedModel(later), asking("ping")))
        group.create_task(asyncio.sleep(0)).add_done_callback(lambda _: asked.set())
    assert task.result().message.text == "True: ping"


async def test_a_scripted_model_remembers_what_it_was_asked_and_says_when_the_script_is_over() -> None:
    model = ScriptedModel("one")
    await answer(model, asking("first"))
    with pytest.raises(AssertionError, match=r"no line for request 2: 'second'"):
        await answer(model, asking("second"))
    assert [request.messages[0].text for request in model.requests] == ["first", "second"]


async def test_a_scripted_model_knows_that_it_was_closed() -> None:
    model = ScriptedModel()
    await model.aclose()
    await model.aclose()
    assert model.closed


async def take(channel: Channel, count: int) -> list[Incoming]:
    async with channel.connect() as messages:
        return [await anext(messages) for _ in range(count)]


async def test_what_is_said_arrives_in_order_with_keys_of_its_own() -> None:
    channel = FakeChannel("fake")
    await channel.say("one")
    await channel.say("two", peer="bob", key="k", agent="cookie", new_session=True)
    first, second = await take(channel, 2)
    assert (first.source, first.content) == (ANN, "one")
    assert (second.source, second.content, second.key) == (Source("fake", ("bob",)), "two", "k")
    assert (second.agent, second.session, second.new_session) == ("cookie", None, True)
    assert first.key not in {"", "k"}


async def test_what_is_said_twice_has_two_keys() -> None:
    channel = FakeChannel()
    assert await channel.say("same") != await channel.say("same")


async def test_a_message_settles_with_its_verdict() -> None:
    channel = FakeChannel()
    verdict = Accepted(event_id="e1", session_id="s1")
    async with asyncio.TaskGroup() as group:
        said = group.create_task(channel.say_and_settle("hi", key="k"))
        (incoming,) = await take(channel, 1)
        incoming.settle(verdict)
    assert said.result() == channel.verdicts["k"] == verdict


async def test_a_message_that_is_refused_raises_the_reason() -> None:
    channel = FakeChannel()
    async with asyncio.TaskGroup() as group:

        async def speak() -> None:
            with pytest.raises(QueueFull, match="20 messages wait"):
                await channel.say_and_settle("hi")

        group.create_task(speak())
        (incoming,) = await take(channel, 1)
        incoming.settle(QueueFull("20 messages wait"))


async def test_a_channel_that_hangs_up_ends_its_stream_after_what_was_said() -> None:
    channel = FakeChannel()
    await channel.say("last words")
    channel.hang_up()
    async with channel.connect() as messages:
        assert [incoming.content async for incoming in messages] == ["last words"]


async def test_an_outage_is_raised_by_connecting_once() -> None:
    channel = FakeChannel()
    channel.outages.append(ChannelUnavailable("no network"))
    await channel.say("hi")
    with pytest.raises(ChannelUnavailable):
        await take(channel, 1)
    assert [incoming.content for incoming in await take(channel, 1)] == ["hi"]


async def test_a_reply_is_heard_and_receipted() -> None:
    channel = FakeChannel()
    receipt = await channel.send(ANN, "hello", key="o1")
    assert receipt
    assert channel.receipts == {"o1": receipt}
    assert await channel.attempted() == "o1"
    assert not channel.silent
    assert await channel.heard() == ("ann", "hello")
    assert channel.silent


async def test_a_failure_comes_before_the_platform_has_it_and_a_lost_receipt_after() -> None:
    channel = FakeChannel()
    channel.failures.append(ChannelUnavailable("no network"))
    with pytest.raises(ChannelUnavailable):
        await channel.send(ANN, "hello", key="o1")
    assert channel.silent
    assert await channel.attempted() == "o1"
    channel.lost_receipts.append(ChannelUnavailable("cut off"))
    with pytest.raises(ChannelUnavailable):
        await channel.send(ANN, "hello", key="o1")
    assert await channel.heard() == ("ann", "hello")


@pytest.mark.parametrize(("keyed", "heard"), [(True, 1), (False, 2)])
async def test_only_a_keyed_platform_drops_a_key_that_it_has(keyed: bool, heard: int) -> None:
    channel = FakeChannel(keyed=keyed)
    receipts = [await channel.send(ANN, "hello", key="o1") for _ in range(2)]
    assert len(set(receipts)) == heard
    for _ in range(heard):
        assert await channel.heard() == ("ann", "hello")
    assert channel.silent


async def test_a_platform_refuses_what_is_longer_than_it_allows() -> None:
    channel = FakeChannel(max_length=5)
    await channel.send(ANN, "12345", key="o1")
    with pytest.raises(DeliveryRejected, match="5 are allowed"):
        await channel.send(ANN, "123456", key="o2")


async def test_the_clock_stands_still_until_it_is_advanced() -> None:
    clock = FakeClock(START)
    before = clock.monotonic()
    assert clock.now() == clock.now() == START
    clock.advance(minutes=1, seconds=5)
    assert clock.now() == START + timedelta(seconds=65)
    assert clock.monotonic() - before == 65


async def test_a_clock_set_back_never_turns_the_seconds_back() -> None:
    clock = FakeClock(START)
    clock.advance(hours=1)
    passed = clock.monotonic()
    clock.advance(hours=-1)
    assert (clock.now(), clock.monotonic()) == (START, passed)


async def test_sleepers_wake_when_their_time_has_come_and_not_before() -> None:
    clock = FakeClock()
    woken: list[int] = []

    async def sleep(seconds: int) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    async with asyncio.TaskGroup() as group:
        for seconds in (9, 5, 7):
            group.create_task(sleep(seconds))
        await clock.asleep(3)
        clock.advance(seconds=4)
        for _ in range(10):
            await asyncio.sleep(0)
        assert woken == []
        clock.advance(seconds=4)
        await asyncio.sleep(0)
        clock.advance(seconds=1)
    assert woken == [5, 7, 9]


async def test_a_sleep_of_no_time_needs_no_advance() -> None:
    clock = FakeClock()
    await clock.sleep(0)
    await clock.sleep(-1)


@pytest.mark.parametrize("until", [None, START + timedelta(seconds=5)])
async def test_a_wait_ends_with_its_event(until: datetime | None) -> None:
    clock, event = FakeClock(START), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(clock.wait(event, until=until))
        await asyncio.sleep(0)
        event.set()
    assert waiting.result() is True
    assert await clock.wait(event, until=START - timedelta(seconds=1)) is True


async def test_a_wait_ends_without_its_event_when_its_moment_comes() -> None:
    clock = FakeClock(START)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(clock.wait(asyncio.Event(), until=START + timedelta(seconds=5)))
        await clock.asleep()
        clock.advance(seconds=5)
    assert waiting.result() is False
    assert await clock.wait(asyncio.Event(), until=START) is False


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = FakeClock()
    task = asyncio.create_task(clock.sleep(5))
    await clock.asleep()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    clock.advance(seconds=10)


def test_the_fakes_fit_their_seams() -> None:
    fakes: tuple[Model, Channel, Clock] = (ScriptedModel(), FakeChannel(), FakeClock())
    assert [type(fake).__name__ for fake in fakes] == ["ScriptedModel", "FakeChannel", "FakeClock"]
