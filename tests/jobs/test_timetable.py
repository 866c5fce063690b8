"""Which job is due next, beside a plain dict that is searched."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from picklebot.jobs.timetable import Timetable

START = datetime(2026, 11, 21, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


def test_an_empty_timetable_has_nothing_due() -> None:
    table = Timetable()
    assert (len(table), table.soonest(), table.due(at(1000))) == (0, None, [])
    table.remove("nobody")


def test_the_due_are_taken_out_soonest_first() -> None:
    table = Timetable()
    for job, minute in {"late": 30, "b": 10, "a": 10, "never": 31}.items():
        table.put(job, at(minute))
    assert table.soonest() == at(10)
    assert table.due(at(30)) == ["a", "b", "late"]
    assert (len(table), table.soonest()) == (1, at(31))


def test_a_job_that_is_put_again_has_only_its_new_moment() -> None:
    table = Timetable()
    table.put("tea", at(10))
    table.put("tea", at(20))
    assert (len(table), table.soonest(), table.due(at(15))) == (1, at(20), [])
    table.put("tea", at(10))
    assert table.due(at(60)) == ["tea"]
    assert (len(table), table.soonest(), table.due(at(60))) == (0, None, [])


def test_a_job_that_changes_all_the_time_takes_no_room() -> None:
    table = Timetable()
    for minute in range(10_000):
        table.put("tea", at(minute))
        table.put("coffee", at(-minute))
    assert len(table._heap) < 100
    assert (len(table), table.soonest()) == (2, at(-9_999))


STEPS = st.one_of(
    st.tuples(st.just("put"), st.sampled_from("abcdef"), st.integers(0, 20)),
    st.tuples(st.just("remove"), st.sampled_from("abcdef"), st.just(0)),
    st.tuples(st.just("due"), st.just(""), st.integers(0, 20)),
)


@given(st.lists(STEPS, max_size=200))
def test_it_says_what_a_search_would_say(steps: list[tuple[str, str, int]]) -> None:
    table, plain = Timetable(), dict[str, datetime]()
    for step, job, minute in steps:
        if step == "put":
            table.put(job, at(minute))
            plain[job] = at(minute)
        elif step == "remove":
            table.remove(job)
            plain.pop(job, None)
        else:
            ready = sorted((moment, name) for name, moment in plain.items() if moment <= at(minute))
            assert table.due(at(minute)) == [name for _, name in ready]
            for _, name in ready:
                del plain[name]
        assert len(table) == len(plain)
        assert table.soonest() == min(plain.values(), default=None)
