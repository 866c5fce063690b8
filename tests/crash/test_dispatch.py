"""Killed while one agent works for another: the caller gets that answer, and nothing is done twice."""

import json
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.crash.judge import judge
from tests.crash.moments import Aim, MomentKind
from tests.crash.promises import KILLED
from tests.crash.test_points import runs, settle
from tests.crash.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")
MakeWorld = Callable[..., World]
WISH = "m1 tools=hand steps=1"


def tasks(world: World) -> list[tuple[str, str]]:
    """Return (state, what came of it) of every task that was given."""
    with closing(sqlite3.connect(world.database)) as connection:
        return connection.execute(
            """SELECT inbox.state, coalesce(json_extract(results.body, '$.content'), '') FROM inbox
            JOIN events USING (seq) LEFT JOIN events AS results
                ON results.cause_id = events.id AND results.kind = 'DispatchResultEvent'
            WHERE inbox.channel = 'agent'"""
        ).fetchall()


# The model is asked by the caller, then by its child for each of three steps, and by the caller again.
@pytest.mark.parametrize(("kind", "nth"), [(kind, nth) for nth in range(1, 6) for kind in ("asked", "answered")])
async def test_the_caller_gets_the_answer_of_the_one_child_it_has_whenever_the_daemon_is_killed(
    world: MakeWorld, kind: MomentKind, nth: int
) -> None:
    async with world() as here:
        here.platform.post("ann", WISH)
        assert await here.live(Aim(kind=kind, nth=nth)) == KILLED
        assert await settle(here) == ["done m1 m1.0.0=ok"]
        [(state, answer)] = tasks(here)
        assert state == "done"
        assert answer in {"done m1c00 m1c00.0.0=ok m1c00.1.0=ok", "done m1c00 m1c00.0.0=unknown m1c00.1.0=ok"}
        assert runs(here, "pay") <= 1
        asked = [(entry.name, entry.step) for entry in here.model.log]
        again = [each for each in set(asked) if asked.count(each) > 1]
        assert len(again) <= 1, f"one kill, and asked again: {again}"


@pytest.mark.parametrize("trap", ["pay.after", "look.after"])
async def test_a_kill_inside_a_tool_of_the_child_is_told_by_the_child(world: MakeWorld, trap: str) -> None:
    async with world() as here:
        here.trap(trap)
        here.platform.post("ann", WISH)
        await here.begin()
        assert await here.ended() == KILLED
        assert await settle(here) == ["done m1 m1.0.0=ok"]
        paid = "unknown" if trap == "pay.after" else "ok"
        assert tasks(here) == [("done", f"done m1c00 m1c00.0.0={paid} m1c00.1.0=ok")]
        assert runs(here, "pay") == 1


async def test_killed_again_and_again_in_the_child_neither_is_taken_for_poison_as_long_as_it_gets_on(
    world: MakeWorld,
) -> None:
    async with world() as here:
        here.platform.post("ann", "m1 tools=hand,pay steps=4")
        for _ in range(8):
            await here.begin(Aim(kind="answered", nth=2, delay=0.01))
            await here.linger(1.0)
            await here.end(signal.SIGKILL)
        assert await here.drain()
        findings = judge(here.evidence())
        assert not findings.verdicts, str(findings)
        assert {state for state, _ in tasks(here)} == {"done"}


async def test_many_callers_and_one_slot_for_their_children_survive_kills(world: MakeWorld) -> None:
    async with world() as here:
        for number in range(12):
            here.platform.post(f"peer{number}", f"m{number} tools=hand,hand steps=1 all")
        for nth in (9, 23):  # with a third, whoever was in hand each time and got no further would be taken for poison
            assert await here.live(Aim(kind="asked", nth=nth)) == KILLED
        told = await settle(here)
        assert sorted(told) == sorted(f"done m{n} m{n}.0.0=ok m{n}.0.1=ok" for n in range(12))
        assert len(tasks(here)) == 24
        assert runs(here, "pay") <= 24
        items = [effect.item for effect in here.evidence().ledger if effect.tool == "pay"]
        assert len(items) == len(set(items)), json.dumps(items)
