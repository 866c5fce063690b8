"""Ceilings hold with any number of calls in flight, and a day's are full again at local midnight."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picklebot.agent.asking import Candidate
from picklebot.agent.budget import DayPurse, DaySpent, Purse
from picklebot.agent.money import Money
from picklebot.agent.purses import DayBudget, Purses, SpentToday, TurnPurses
from picklebot.clock import midnight
from picklebot.core.messages import Message
from picklebot.core.source import Source
from picklebot.errors import LimitReached
from picklebot.models.base import ModelReply, ModelRequest, Spending, Usage
from picklebot.models.pricing import cost
from picklebot.testing import FakeClock, ScriptedModel

REQUEST = ModelRequest(system="", messages=[Message.user("hi")], max_tokens=1_000)
BERLIN = ZoneInfo("Europe/Berlin")
CALLS = st.lists(st.tuples(st.floats(0.001, 2), st.floats(0, 1)), max_size=50)


def reply(usage: Usage, model: str = "claude-sonnet-5-5") -> ModelReply:
    return ModelReply(message=Message.assistant("x"), stop_reason="end_turn", usage=usage, model=model)


def money(*purses: Purse, names: Sequence[str] = ("claude-sonnet-5-5",), paid: bool = False) -> Money:
    candidates = [Candidate(ScriptedModel(), name, paid=paid) for name in names]
    return Money(TurnPurses(purses[0], purses), price=cost, candidates=candidates, refuse_unpriced=True)


def day(ceiling: float, clock: FakeClock, *, key: str = "day") -> DayPurse:
    return DayPurse(key, "today's budget", ceiling, now=lambda: clock.now().astimezone(BERLIN))


def job(usd: float) -> Callable[[Source], Sequence[DayBudget]]:
    return lambda source: [DayBudget(key=str(source), name="the job's budget", usd=usd)]


@given(calls=CALLS)
def test_what_is_spent_never_passes_the_ceiling(calls: list[tuple[float, float]]) -> None:
    purse, flying = Purse("the turn's budget", 3.0), list[tuple[float, float]]()
    for worst, share in calls:
        try:
            fits = purse.bears(worst)
        except LimitReached:
            fits = False
        if fits:
            purse.reserve(worst)
            flying.append((worst, share))
        elif flying:
            reserved, part = flying.pop(0)
            purse.settle(reserved, reserved * part)
    for worst, share in flying:
        purse.settle(worst, worst * share)
    assert purse.spent <= 3.0 + 1e-9


async def test_a_call_that_failed_gives_its_reservation_back() -> None:
    purse = Purse("the turn's budget", 0.0101)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with money(purse).reserved(REQUEST):
                raise ZeroDivisionError
    assert purse.spent == 0.0


async def test_an_attempt_that_came_to_nothing_is_paid_for_before_the_next(clock: FakeClock) -> None:
    purse = day(0.025, clock)  # bears the worst case, of a little more than a cent, twice
    taken = Spending(model="claude-sonnet-5-5", usage=Usage(output_tokens=1), written=2_000)
    async with money(purse).reserved(REQUEST) as bill:
        bill.lose(taken)
        assert purse.spent == pytest.approx(0.01), "a thousand tokens: as many as so many bytes can be"
        await bill.attempt()
        bill.lose(taken)
        with pytest.raises(DaySpent):
            await bill.attempt()
    assert purse.spent == pytest.approx(0.02)
    assert [lost.cost_usd for lost in bill.lost] == pytest.approx([0.01, 0.01])
    assert [lost.reply.usage.output_tokens for lost in bill.lost] == [1_000, 1_000]
    assert purse.bears(0.005), "nothing is set aside any more"


async def test_an_attempt_costs_no_more_than_the_longest_answer(clock: FakeClock) -> None:
    purse = Purse("the turn's budget", 0.0115)
    async with money(purse).reserved(REQUEST) as bill:  # a thousand tokens of English are four thousand bytes
        bill.lose(Spending(model="claude-sonnet-5-5", usage=Usage(output_tokens=1), written=4_000))
    assert purse.spent == pytest.approx(0.01)


async def test_a_call_waits_for_those_in_flight_and_is_not_refused_for_them(clock: FakeClock) -> None:
    purse, order = day(0.015, clock), list[str]()  # bears one worst case at a time, of a little more than a cent

    async def call(name: str) -> None:
        async with money(purse).reserved(REQUEST) as bill:
            order.append(f"{name} begins")
            await asyncio.sleep(0)
            bill.settle(reply(Usage(output_tokens=100)))
            order.append(f"{name} ends")

    await asyncio.gather(call("one"), call("two"))
    assert order == ["one begins", "one ends", "two begins", "two ends"]
    assert purse.spent == pytest.approx(0.002)


async def test_a_call_that_one_purse_refuses_takes_from_none(clock: FakeClock) -> None:
    rich, poor = Purse("the turn's budget", 1.0), day(0.011, clock)
    poor.count(0.01)
    with pytest.raises(DaySpent):
        async with money(rich, poor).reserved(REQUEST):
            pass
    async with money(rich).reserved(ModelRequest(system="", messages=[], max_tokens=99_999)):
        pass  # all of it is still there


async def test_the_worst_case_is_the_dearest_candidate_writing_its_cache() -> None:
    words = Message.user("x" * 2_000_000)  # a million tokens at most, and a dollar's worth of each five
    request = ModelRequest(system="", messages=[words], max_tokens=1)
    cheap, dear = ("claude-sonnet-5-5",), ("claude-sonnet-5-5", "claude-opus-5-5")
    async with money(Purse("the turn's budget", 2.6), names=cheap).reserved(request):
        pass
    for names, ceiling in ((cheap, 2.4), (dear, 4.9)):
        with pytest.raises(LimitReached):
            async with money(Purse("the turn's budget", ceiling), names=names).reserved(request):
                pass
    async with money(Purse("the turn's budget", 5.1), names=dear).reserved(request):
        pass


async def test_an_answer_that_cost_more_than_was_set_aside_is_counted_in_full(
    caplog: pytest.LogCaptureFixture,
) -> None:
    purse = Purse("the turn's budget", 1.0)
    async with money(purse).reserved(REQUEST) as bill:
        assert bill.settle(reply(Usage(output_tokens=90_000))) == pytest.approx(0.9)
    assert purse.spent == pytest.approx(0.9)
    assert "more than" in caplog.text


async def test_an_answer_under_another_name_is_counted_as_the_dearest_that_was_asked() -> None:
    used = Usage(output_tokens=1_000)
    purse = Purse("the turn's budget", 1.0)
    async with money(purse, names=("claude-sonnet-5-5", "claude-opus-5-5")).reserved(REQUEST) as bill:
        assert bill.settle(reply(used, model="some-gateways-name")) == pytest.approx(0.02)
    async with money(purse, names=("claude-sonnet-5-5", "llama")).reserved(REQUEST) as bill:
        assert bill.settle(reply(used, model="some-gateways-name")) is None


async def test_a_paid_model_without_a_price_is_not_asked_and_a_free_one_is() -> None:
    with pytest.raises(LimitReached, match=r"model\.prices"):
        async with money(Purse("the turn's budget", 1.0), names=("claude-next",), paid=True).reserved(REQUEST):
            pass
    async with money(Purse("the turn's budget", 0.0), names=("llama",)).reserved(REQUEST):
        pass


async def test_a_days_budget_is_full_again_at_local_midnight(clock: FakeClock) -> None:
    purse = day(1.0, clock)  # the clock stands at one o'clock in Berlin
    purse.count(1.0)
    with pytest.raises(DaySpent) as refused:
        purse.bears(0.5)
    assert refused.value.until == datetime(2030, 1, 1, 23, tzinfo=UTC)
    clock.advance(hours=22, minutes=59)
    with pytest.raises(DaySpent):
        purse.bears(0.5)
    clock.advance(minutes=1)
    assert purse.bears(0.5)
    assert purse.spent == 0.0


async def test_a_lift_holds_until_midnight(clock: FakeClock) -> None:
    purse = day(1.0, clock)
    purse.count(1.0)
    purse.lift()
    assert purse.bears(1.0)
    assert purse.ceiling == 2.0
    clock.advance(days=1)
    assert purse.ceiling == 1.0


async def test_a_call_too_dear_for_a_whole_day_is_not_put_off(clock: FakeClock) -> None:
    with pytest.raises(LimitReached, match="max_tokens"):
        day(0.1, clock).bears(0.2)


def test_a_turn_pays_from_its_own_purse_its_agents_its_jobs_and_the_daemons(clock: FakeClock) -> None:
    purses = Purses(
        10.0, now=clock.now, today=SpentToday(usd={"day": 3.0, "agent:a": 2.0, "cron:x": 1.0}), beside=job(1.0)
    )
    turn = purses.open("t1", source=Source("cron", ("x",)), agent_id="a", turn_usd=0.5, agent_day_usd=2.5)
    assert [(p.ceiling, p.spent) for p in turn.all] == [(0.5, 0.0), (2.5, 2.0), (1.0, 1.0), (10.0, 3.0)]
    again = purses.open("t2", source=Source("cron", ("x",)), agent_id="a", turn_usd=0.5, agent_day_usd=2.5)
    assert [mine is theirs for mine, theirs in zip(turn.all, again.all, strict=True)] == [False, True, True, True]


def test_a_turn_also_pays_from_what_its_callers_pay_from_once(clock: FakeClock) -> None:
    purses = Purses(10.0, now=clock.now, beside=lambda source: job(1.0)(source) if source.is_job else [])
    parent = purses.open("p", source=Source("cron", ("x",)), agent_id="a", turn_usd=0.5)
    child = purses.open("c", source=Source("agent", ("a",)), agent_id="b", turn_usd=9.0, callers=["p", "gone"])
    assert parent.own in child.all
    assert set(parent.all) < set(child.all)
    assert len(child.all) == len(set(child.all)) == 6


def test_a_days_budget_that_was_made_on_a_later_day_begins_at_nothing(clock: FakeClock) -> None:
    purses = Purses(10.0, now=clock.now, today=SpentToday(usd={"agent:a": 2.0}))
    clock.advance(seconds=timedelta(days=1).total_seconds())
    turn = purses.open("t", source=Source("cli", ("ann",)), agent_id="a", turn_usd=0.5, agent_day_usd=1.0)
    assert turn.all[1].spent == 0.0


def test_a_heartbeat_whose_day_is_spent_ends_and_holds_up_nobody(clock: FakeClock) -> None:
    purses = Purses(10.0, now=clock.now, beside=job(0.01))
    turn = purses.open("t", source=Source("heartbeat", ("echo",)), agent_id="echo", turn_usd=1.0)
    turn.all[2].count(0.01)
    with pytest.raises(LimitReached, match="used up"):
        turn.all[2].bears(0.005)


@pytest.mark.parametrize(
    ("zone", "moment", "next_day"),
    [
        ("Europe/Berlin", datetime(2030, 3, 31, 12, tzinfo=UTC), datetime(2030, 3, 31, 22, tzinfo=UTC)),  # 23 hours
        ("Europe/Berlin", datetime(2030, 10, 26, 22, 30, tzinfo=UTC), datetime(2030, 10, 27, 23, tzinfo=UTC)),  # 25
        ("America/Santiago", datetime(2030, 9, 7, 12, tzinfo=UTC), datetime(2030, 9, 8, 4, tzinfo=UTC)),  # no 00:00
    ],
)
def test_midnight_is_the_first_moment_of_a_day_also_where_clocks_change(
    zone: str, moment: datetime, next_day: datetime
) -> None:
    local = moment.astimezone(ZoneInfo(zone))
    assert midnight(local, days=1) == next_day
    assert next_day.astimezone(ZoneInfo(zone)).date() > local.date()
    assert (next_day - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date() == local.date()
