"""The bus routes, and no more."""

import asyncio

import pytest

from picklebot.core.bus import EventBus, Overflow
from picklebot.core.events import Event, Notice, TextDelta, TurnStarted
from picklebot.core.source import Source


def delta(text: str) -> TextDelta:
    return TextDelta(session_id="s", source=Source("fake"), text=text)


async def test_an_event_goes_to_every_subscriber_of_its_kind_and_to_no_other() -> None:
    bus = EventBus()
    with bus.subscribe(TextDelta) as one, bus.subscribe(Notice) as two, bus.subscribe(TurnStarted) as other:
        await bus.publish(delta("x"))
        assert [(await anext(one)).text, type(await anext(two)).__name__] == ["x", "TextDelta"]
        assert len(other) == 0


async def test_a_closed_inbox_is_read_to_its_end_and_takes_no_more() -> None:
    bus = EventBus()
    with bus.subscribe(TextDelta) as inbox:
        await bus.publish(delta("last"))
    await bus.publish(delta("too late"))
    assert [event.text async for event in inbox] == ["last"]


async def test_a_full_worker_makes_the_publisher_wait() -> None:
    bus = EventBus()
    inbox = bus.subscribe(TextDelta, maxsize=1)
    await bus.publish(delta("1"))
    waiting = asyncio.create_task(bus.publish(delta("2")))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert (await anext(inbox)).text == "1"
    await asyncio.wait_for(waiting, 5)
    assert (await anext(inbox)).text == "2"


async def test_closing_a_full_inbox_lets_its_publisher_go() -> None:
    bus = EventBus()
    inbox = bus.subscribe(TextDelta, maxsize=1)
    await bus.publish(delta("1"))
    waiting = asyncio.create_task(bus.publish(delta("2")))
    await asyncio.sleep(0)
    inbox.close()
    await asyncio.wait_for(waiting, 5)


async def test_a_full_observer_loses_the_oldest_and_slows_nobody() -> None:
    bus = EventBus()
    inbox = bus.subscribe(Event, maxsize=2, overflow=Overflow.DROP_OLDEST)
    for text in "abc":
        await bus.publish(delta(text))
    inbox.close()
    assert ([event.text async for event in inbox if isinstance(event, TextDelta)], inbox.dropped) == (["b", "c"], 1)


async def test_a_subscriber_that_comes_late_hears_what_follows() -> None:
    bus = EventBus()
    await bus.publish(delta("before"))
    inbox = bus.subscribe(TextDelta)
    await bus.publish(delta("after"))
    assert (await anext(inbox)).text == "after"


def test_an_inbox_without_room_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="0"):
        EventBus().subscribe(TextDelta, maxsize=0)


async def test_publishers_that_wait_are_let_in_one_by_one_in_order() -> None:
    bus = EventBus()
    inbox = bus.subscribe(TextDelta, maxsize=1)
    await bus.publish(delta("0"))
    waiting = [asyncio.create_task(bus.publish(delta(str(n)))) for n in (1, 2, 3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    heard = [(await anext(inbox)).text for _ in range(3)]
    assert heard == ["0", "2", "3"]


async def test_a_publisher_cancelled_with_its_place_in_hand_passes_it_on() -> None:
    bus = EventBus()
    inbox = bus.subscribe(TextDelta, maxsize=1)
    await bus.publish(delta("0"))
    first, second = (asyncio.create_task(bus.publish(delta(text))) for text in ("1", "2"))
    await asyncio.sleep(0)
    assert (await anext(inbox)).text == "0"  # gives the place to the first
    first.cancel()
    await asyncio.wait_for(second, 5)
    assert (await anext(inbox)).text == "2"


async def test_it_is_known_whether_anybody_would_hear() -> None:
    bus = EventBus()
    assert not bus.wanted(TextDelta)
    inbox = bus.subscribe(Notice)
    assert bus.wanted(TextDelta)
    inbox.close()
    bus.subscribe(TurnStarted)
    assert not bus.wanted(TextDelta)
