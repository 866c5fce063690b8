"""What is shown of a conversation: in force with the call that wrote it, and in nobody else's session."""

from dataclasses import replace
from datetime import timedelta

from picklebot.core.compaction import Begun, Compaction, Digest
from picklebot.core.journal import PlannedCall, RecordedStep
from picklebot.core.messages import Message, ToolResult
from picklebot.core.replies import ModelReply, Usage
from picklebot.store.base import Conclusion, Turn
from picklebot.store.sqlite import SqliteStore
from tests.store.conftest import NOW, arrival

DIGEST = Digest(summary="They spoke of tea.", said=("I like tea",), left_out=2, names=("tea.md", "4711"))


async def ask(store: SqliteStore, key: str, *, new_session: bool = False) -> Turn:
    """Accept a message, and begin its turn."""
    accepted = await store.inbox.accept(arrival(key, key=key, new_session=new_session), limit=9)
    turn = await store.inbox.begin(accepted.event.session_id, NOW)
    assert turn is not None
    return turn


async def end(store: SqliteStore, turn: Turn, *texts: str) -> None:
    messages = [Message.user("q"), Message.assistant("a"), *map(Message.user, texts)]
    ended = Conclusion(turn=turn, outcome="done", messages=messages, outbound=[], at=NOW)
    await store.turns.finish(ended)


def step(n: int, *, usd: float = 0.0, tokens: int = 0) -> RecordedStep:
    usage = Usage(input_tokens=tokens)
    reply = ModelReply(message=Message.assistant("hm"), stop_reason="end_turn", usage=usage)
    return RecordedStep(n=n, reply=reply, cost_usd=usd)


async def begin(store: SqliteStore, turn: Turn, draft: Compaction) -> Begun:
    return await store.compactions.begin(turn, draft, why="full", keep="the dates", at=NOW)


async def test_it_is_in_force_once_it_ended_and_the_last_one_is(store: SqliteStore) -> None:
    turn = await ask(store, "a")
    session = turn.event.session_id
    draft = Compaction(turn=turn.seq, before=0, within=2, trimmed={"c1": 500})
    begun = await begin(store, turn, draft)
    sight = await store.compactions.sight(session)
    assert (sight.compaction, sight.unfinished) == (None, True)
    whole = replace(draft, digest=DIGEST)
    await store.compactions.finish(turn, begun, whole, step(begun.step - 1), at=NOW)
    assert (await store.compactions.sight(session)).compaction == whole
    void = await begin(store, turn, Compaction(turn=turn.seq, within=9))
    await store.compactions.give_up(turn, void, None, at=NOW)
    sight = await store.compactions.sight(session)
    assert (sight.compaction, sight.unfinished) == (whole, False)
    later = Compaction(turn=turn.seq, within=3)
    await store.compactions.finish(turn, await begin(store, turn, later), later, None, at=NOW)
    assert (await store.compactions.sight(session)).compaction == later
    reports = await store.compactions.of_session(session)
    assert [(each.state, each.why, each.compaction.within) for each in reports] == [
        ("done", "full", 2),
        ("void", "full", 9),
        ("done", "full", 3),
    ]
    other = await ask(store, "b", new_session=True)
    assert (await store.compactions.sight(other.event.session_id)).compaction is None
    assert await store.compactions.of_session(other.event.session_id) == []


async def test_another_attempt_goes_on_with_what_was_begun_and_its_calls_are_no_steps_of_the_turn(
    store: SqliteStore,
) -> None:
    turn = await ask(store, "a")
    await store.turns.record_step(turn, step(0, usd=1.0), [], opening=Message.user("q"), at=NOW)
    draft = Compaction(turn=turn.seq, within=1, trimmed={"c1": 500})
    begun = await begin(store, turn, draft)
    await store.compactions.count(turn, step(5, usd=0.25), at=NOW)  # of no use, and paid for
    await store.turns.record_step(turn, step(begun.step, usd=0.5), [], opening=Message.user("q"), at=NOW)
    again = await store.inbox.begin(turn.event.session_id, NOW)
    assert again is not None
    assert [each.n for each in again.steps] == [0]
    pending = await store.compactions.pending(again)
    assert pending is not None
    assert (pending.id, pending.step, pending.keep, pending.draft) == (begun.id, begun.step, "the dates", draft)
    assert pending.steps[begun.step].cost_usd == 0.5
    assert await store.compactions.spent(again) == 0.75
    numbers = [*pending.steps, begun.step - 1]
    assert len({*numbers}) == len(numbers), "a call that was of no use took the number of one that counts"
    await store.compactions.finish(again, pending, draft, step(begun.step - 1), at=NOW)
    assert await store.compactions.pending(again) is None


async def test_what_a_turn_covered_of_itself_is_counted_among_all_once_it_ended(store: SqliteStore) -> None:
    first = await ask(store, "a")
    await end(store, first)
    turn = await ask(store, "b")
    draft = Compaction(turn=turn.seq, before=2, within=3)
    await store.compactions.finish(turn, await begin(store, turn, draft), draft, None, at=NOW)
    session = turn.event.session_id
    assert (await store.compactions.sight(session)).compaction == draft
    await end(store, turn, "more", "and more")
    assert (await store.compactions.sight(session)).compaction == replace(draft, before=5, within=0)


async def test_tokens_that_were_counted_before_it_say_nothing_after_it(store: SqliteStore) -> None:
    turn = await ask(store, "a")
    session = turn.event.session_id
    await store.turns.record_step(turn, step(0, tokens=900), [], opening=Message.user("q"), at=NOW)
    await end(store, turn)
    assert (await store.compactions.sight(session)).tokens == 900
    keeping, draft = await ask(store, "/compact"), Compaction(turn=turn.seq, before=1)
    begun = await begin(store, keeping, draft)
    await store.compactions.finish(keeping, begun, draft, None, at=NOW + timedelta(seconds=1))
    assert (await store.compactions.sight(session)).tokens == 0


async def test_a_result_is_seen_again_in_its_own_session_only(store: SqliteStore) -> None:
    turn = await ask(store, "a")
    call = PlannedCall(call_id="c1", tool="grep", effect="pure", input={})
    await store.turns.record_step(turn, step(0), [call], opening=Message.user("q"), at=NOW)
    assert await store.compactions.result(turn.event.session_id, "c1") is None
    result = ToolResult(call_id="c1", content="long", marks=frozenset({"private"}))
    await store.turns.record_result(turn, 0, result, state="done", at=NOW)
    await end(store, turn)
    found = await store.compactions.result(turn.event.session_id, "c1")
    assert found is not None
    assert (found.content, found.marks) == ("long", frozenset({"private"}))
    other = await ask(store, "b", new_session=True)
    assert await store.compactions.result(other.event.session_id, "c1") is None
