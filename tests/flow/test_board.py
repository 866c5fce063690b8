"""The shared task board, through the front door."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from picklebot.core.messages import Message
from picklebot.models.base import ModelRequest
from picklebot.testing import FakeChannel
from tests.flow.conftest import Daemon, Stored
from tests.flow.players import Answer, Line, Players, asks, crash, results_of, says


def board(action: str, call_id: str = "b1", **fields: object) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": "task_board", "input": {"action": action, **fields}}


def does(*steps: dict[str, Any]) -> Answer:
    """Make these calls, one a step, and answer with what came of each."""

    def answer(request: ModelRequest) -> Line:
        asked = [n for n, message in enumerate(request.messages) if message.role == "user" and not results(message)]
        done = [text for message in request.messages[asked[-1] :] for text in results(message)]
        return Message("assistant", (steps[len(done)],)) if len(done) < len(steps) else " & ".join(done)

    return answer


def results(message: Message) -> list[str]:
    return results_of(ModelRequest(system="", messages=[message]))


async def test_work_is_put_up_claimed_finished_and_listed(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None]
) -> None:
    agents(pickle={}, cookie={})
    adds = does(board("add", title="sweep", details="the yard"), board("add", "b2", title="rake"))
    works = does(board("claim"), board("finish", "b2", id=1, result="swept"), board("list", "b3"))
    async with daemon(Players(pickle=adds, cookie=works), channel):
        await channel.say("put it up", agent="pickle")
        first, second = map(json.loads, (await channel.heard())[1].split(" & "))
        await channel.say("work", peer="bob", agent="cookie")
        claimed, finished, listed = (await channel.heard())[1].split(" & ")
    wanted = {"id": 1, "title": "sweep", "details": "the yard", "state": "open", "added_by": "pickle"}
    assert first == {**wanted, "outside": True}  # for somebody who is not the owner
    assert second["id"] == 2
    assert json.loads(claimed) == first | {"state": "claimed", "claimed_by": "cookie"}
    assert json.loads(finished) == first | {"state": "done", "claimed_by": "cookie", "result": "swept"}
    assert [json.loads(line)["state"] for line in listed.splitlines()] == ["done", "open"]


async def test_each_entry_is_claimed_by_one_of_many_who_claim_at_once(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None]
) -> None:
    agents(pickle={"max_concurrency": 16}, cookie={})
    adds = does(*(board("add", f"b{n}", title=f"job {n}") for n in range(5)))
    together = asyncio.Barrier(10)

    async def claim(request: ModelRequest) -> Line:
        if done := results_of(request):
            async with asyncio.timeout(10):
                await together.wait()  # nobody's turn, and so nobody's claim, ends before all have claimed
            return done[0]
        return Message("assistant", (board("claim"),))

    async with daemon(Players(pickle=claim, cookie=adds), channel):
        await channel.say("put them up", agent="cookie")
        await channel.heard()
        for number in range(10):
            await channel.say("work", peer=f"p{number}", agent="pickle")
        answers = [(await channel.heard())[1] for _ in range(10)]
    assert answers.count("Nothing is open.") == 5
    assert sorted(json.loads(a)["id"] for a in answers if a.startswith("{")) == [1, 2, 3, 4, 5]


async def test_a_second_claimer_is_refused_in_words_and_a_claim_ends_with_its_turn(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None]
) -> None:
    agents(pickle={}, cookie={})
    claimed, looked = asyncio.Event(), asyncio.Event()

    async def hold(request: ModelRequest) -> Line:
        done = results_of(request)
        if len(request.messages) == 1:
            return Message("assistant", (board("add", title="sweep"),))
        if len(request.messages) == 3:
            return Message("assistant", (board("claim", "b2", id=1),))
        claimed.set()
        await looked.wait()
        return done[0]

    tries = does(board("claim", id=1), board("finish", "b2", id=1, result="mine"), board("claim", "b3", id=7))
    model = Players(pickle=hold, cookie=tries)
    async with daemon(model, channel):
        await channel.say("hold it", agent="pickle")
        await claimed.wait()
        await channel.say("try", peer="bob", agent="cookie")
        first, second, third = (await channel.heard())[1].split(" & ")
        assert first == second == "entry 1 is claimed by pickle in another session"
        assert third == "there is no entry 7 on the board; `list` shows what there is"
        looked.set()
        await channel.heard()
        await channel.say("try again", peer="bob", agent="cookie")
        first, second, _ = (await channel.heard())[1].split(" & ")
    assert json.loads(first)["claimed_by"] == "cookie"
    assert json.loads(second)["result"] == "mine"


async def test_what_a_board_call_lacks_is_said(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None]
) -> None:
    agents(pickle={})
    steps = does(board("add"), board("finish", "b2", id=1), board("finish", "b3", result="x"), board("list", "b4"))
    async with daemon(Players(pickle=steps), channel):
        await channel.say("x")
        assert (await channel.heard())[1] == (
            "add needs 'title' & finish needs 'result' & finish needs 'id' & The board is empty."
        )


async def test_a_crash_repeats_nothing_on_the_board_and_keeps_the_claim(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None], stored: Stored
) -> None:
    agents(pickle={}, cookie={})
    asked = asyncio.Event()

    async def never(request: ModelRequest) -> Line:
        if not results_of(request):
            return Message("assistant", (board("add", title="sweep"), board("claim", "b2")))
        asked.set()
        await asyncio.Event().wait()
        return "never"

    async with daemon(Players(pickle=never, cookie=says("")), channel, grace=0.01):
        await channel.say("x")
        await asked.wait()
    async with stored() as store:
        await crash(store)
        [[turn]] = await store.board._database.fetch("SELECT seq FROM turns")
        sql = "UPDATE calls SET state = 'started', result = NULL WHERE turn = ?"
        await store.board._database.write(lambda connection: connection.execute(sql, (turn,)))
    async with daemon(Players(pickle=lambda request: " & ".join(results_of(request))), channel) as app:
        added, claimed = (await channel.heard())[1].split(" & ")
        assert json.loads(added)["id"] == json.loads(claimed)["id"] == 1
        assert len(await app.store.board.entries(limit=9)) == 1


async def test_a_board_needs_no_dispatch(daemon: Daemon, channel: FakeChannel, agents: Callable[..., None]) -> None:
    agents(pickle={"tools": "[task_board]"}, cookie={})
    async with daemon(Players(pickle=asks("cookie")), channel):
        await channel.say("x")
        assert "there is no tool 'subagent_dispatch'" in (await channel.heard())[1]
