"""What can go wrong between the adapter and a model, on a real socket."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from picklebot.core.messages import Message
from picklebot.errors import ContextTooLong, ModelError, ModelRejected, ModelUnavailable
from picklebot.models.anthropic import AnthropicModel
from picklebot.models.base import ModelEvent, ModelReply, Spending, TextChunk
from picklebot.testing.faults import (
    Fault,
    broken_tool_input,
    cut,
    error_event,
    events,
    html,
    pings_forever,
    raw,
    reset,
    slow,
    stall,
    status,
)
from picklebot.testing.messages_api import MessagesApi
from tests.models.asking import KEY, Maker, ask, question


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (status(529), ModelUnavailable, "not available"),
        (status(500, "oops"), ModelUnavailable, "oops"),
        (status(429, headers={"retry-after": "7"}), ModelUnavailable, "limiting our rate"),
        (status(429, {"error": {"details": {"error_code": "enforced_spend_limit_reached"}}}), ModelRejected, "spend"),
        (status(400), ModelRejected, "refused"),
        (status(401), ModelRejected, "check that the key"),
        (status(404), ModelRejected, "base_url"),
        (status(413), ContextTooLong, "too long"),
        (status(307, headers={"location": "http://127.0.0.1:1/"}), ModelUnavailable, "307"),
        (html(), ModelUnavailable, "'text/html'"),
        (html(503), ModelUnavailable, "503"),
        (raw(b"{}", content_type="application/json"), ModelUnavailable, "'application/json'"),
        (raw(b"", content_type=""), ModelUnavailable, "nothing"),
        (raw(b""), ModelUnavailable, "before it was complete"),
        (raw(b"data: \xff\xfe\n\n"), ModelUnavailable, "garbled"),
        (raw(b"data: {bad\n\n"), ModelUnavailable, "garbled"),
        (raw(b"not a field of an event\n\n"), ModelUnavailable, "before it was complete"),
        (events({"type": "message_stop"}), ModelUnavailable, "garbled"),
        *((cut(after), ModelUnavailable, "before it was complete") for after in range(5)),
        (cut(3, clean=False), ModelUnavailable, "it was cut"),
        (cut(0, clean=False), ModelUnavailable, "it was cut"),
        (reset(), ModelUnavailable, "127.0.0.1 failed"),
        (reset(3), ModelUnavailable, "127.0.0.1 failed"),
        (error_event(), ModelUnavailable, "Overloaded"),
        (error_event("api_error", "oh"), ModelUnavailable, "oh"),
        (error_event("invalid_request_error", "no"), ModelRejected, "no"),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
async def test_each_kind_of_trouble_is_named(
    api: MessagesApi, model: AnthropicModel, fault: Fault, error: type[ModelError], words: str
) -> None:
    api.extend(fault, "fine again")
    with pytest.raises(error, match=words) as caught:
        await ask(model)
    assert type(caught.value) is error
    assert api.request_count == 1, "one attempt is one request"
    assert (await ask(model)).message.text == "fine again"


async def test_the_wait_that_the_endpoint_asks_for_is_handed_on_as_said(
    api: MessagesApi, model: AnthropicModel
) -> None:
    api.extend(status(529, headers={"retry-after": "86400"}))
    with pytest.raises(ModelUnavailable) as caught:
        await ask(model)
    assert caught.value.retry_after == 86_400


@pytest.mark.parametrize(
    "fault",
    [
        *(status(code, f"your key {KEY} is bad") for code in (400, 401, 403, 404, 429, 500)),
        status(403, {"error": {"type": KEY, "message": KEY}}),
        error_event("authentication_error", f"bad {KEY}"),
        error_event("api_error", f"bad {KEY}"),
        raw(KEY.encode(), content_type="text/plain"),
        raw(f"data: {KEY}\n\n".encode()),
    ],
    ids=lambda fault: fault.name,
)
async def test_no_error_repeats_the_key(api: MessagesApi, model: AnthropicModel, fault: Fault) -> None:
    api.extend(fault)
    with pytest.raises(ModelError) as caught:
        await ask(model)
    assert KEY not in str(caught.value)
    assert KEY not in repr(model)


@pytest.mark.parametrize(
    "fault", [stall(), stall(0), stall(3), pings_forever(0), pings_forever(3)], ids=lambda f: f.name
)
async def test_silence_ends_after_the_timeout_and_pings_are_silence(
    api: MessagesApi, make: Maker, fault: Fault, http: str
) -> None:
    api.extend(fault)
    impatient = make(timeout=0.1, http=http)
    with pytest.raises(ModelUnavailable, match=r"sent nothing new for 0\.1 s"):
        await ask(impatient)
    await api.hung_up()


async def test_an_answer_that_only_drips_ends_at_the_total(api: MessagesApi, make: Maker) -> None:
    api.extend(slow(0.04, reply="never to be finished", drip=True))
    model = make(timeout=5.0, total=0.15)
    with pytest.raises(ModelUnavailable, match=r"took longer than 0.15 s"):
        await ask(model)
    await api.hung_up()


async def test_a_steady_answer_may_take_longer_than_the_timeout(api: MessagesApi, make: Maker) -> None:
    text = {"type": "text", "text": "steady"}
    api.extend(slow(0.05, reply=Message("assistant", (text, text)), drip=True))
    assert (await ask(make(timeout=0.4))).message.text == "steady\n\nsteady"


async def test_a_page_that_is_no_answer_is_not_read_to_its_end(api: MessagesApi, model: AnthropicModel) -> None:
    api.extend(html(endless=True))
    with pytest.raises(ModelUnavailable, match="text/html"):
        await ask(model)
    await api.hung_up()


async def test_a_slow_reader_is_not_taken_for_a_silent_model(api: MessagesApi, make: Maker) -> None:
    api.extend(slow(0.01, reply="take your time", drip=True))
    model = make(timeout=0.5)
    said: list[ModelEvent] = []
    async for event in model.stream(question()):
        if not said:
            await asyncio.sleep(0.6)
        said.append(event)
    assert isinstance(said[-1], ModelReply)


async def test_closing_the_stream_hangs_up_at_once(api: MessagesApi, model: AnthropicModel) -> None:
    api.extend(stall(4))
    stream = model.stream(question())
    assert isinstance(await anext(stream), Spending)
    assert isinstance(await anext(stream), TextChunk)
    assert api.hangups == 0
    await stream.aclose()
    await api.hung_up()


async def test_what_a_cut_answer_took_is_known(api: MessagesApi, model: AnthropicModel) -> None:
    api.extend(cut(1, clean=False))
    stream = model.stream(question(Message.user("x" * 400)))
    taken = await anext(stream)
    with pytest.raises(ModelUnavailable):
        await anext(stream)
    assert isinstance(taken, Spending)
    assert taken.model == model.name
    assert taken.usage.context_tokens > 50


async def test_cancelling_a_turn_hangs_up_at_once(api: MessagesApi, model: AnthropicModel) -> None:
    api.extend(stall(4))
    asking = asyncio.create_task(ask(model), name="a turn to be cancelled")
    await api.asked()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await api.hung_up()


async def test_an_error_of_the_reader_is_not_mistaken_for_one_of_the_model(
    api: MessagesApi, model: AnthropicModel
) -> None:
    api.extend("hello")

    async def read(stream: AsyncGenerator[ModelEvent, None]) -> None:
        async with aclosing(stream):
            async for _ in stream:
                raise TimeoutError("the reader's own")

    with pytest.raises(TimeoutError, match="the reader's own"):
        await read(model.stream(question()))


@pytest.mark.parametrize(
    "raw_json", ['{"cmd":"deploy prod","dry_run": tr', '{"allow": false, "allow": true}', "[1]", '{"x": NaN}']
)
async def test_no_half_parsed_input_comes_through(api: MessagesApi, model: AnthropicModel, raw_json: str) -> None:
    api.extend(broken_tool_input("deploy", raw_json))
    (call,) = (await ask(model)).message.calls()
    assert (call.name, call.input) == ("deploy", {})
    assert call.problem


async def test_an_endpoint_that_is_not_there_is_unavailable(api: MessagesApi, model: AnthropicModel) -> None:
    await api.aclose()
    with pytest.raises(ModelUnavailable, match=r"127.0.0.1 failed: nothing listens there"):
        await ask(model)


async def test_an_endpoint_without_tls_is_unavailable(api: MessagesApi, make: Maker, http: str) -> None:
    model = make(url=api.url.replace("http:", "https:"), http=http)
    with pytest.raises(ModelUnavailable, match="TLS failed"):
        await ask(model)
