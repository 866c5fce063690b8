"""/approve and /deny: only the owner answers, once, and for exactly what was shown (P17)."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from picklebot.core.proposals import Asking, Proposal, propose
from picklebot.core.source import Source
from picklebot.errors import PicklebotError, StoreFull, ToolError
from picklebot.store.sqlite import SqliteStore, open_store
from picklebot.workers.approvals import NOT_OWNER, Approvals
from picklebot.workers.people import People
from tests.store.conftest import NOW

OWNER, OTHER, STRANGER = Source("cli", ("ann",)), Source("ws", ("1",)), Source("telegram", ("6", "6"))


class Desk:
    """The commands over a real store, and what was carried out."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.done: list[str] = []
        self.trouble: list[PicklebotError] = []
        self.now = NOW
        self.budgets: dict[str, str] = {}
        approvals = Approvals(
            proposals=store.proposals,
            appliers={"task": self.apply},
            budgets=self,
            is_owner=People({}, store.pairings).is_owner,
            now=lambda: self.now,
        )
        self._table = approvals.table()

    async def apply(self, proposal: Proposal) -> str:
        await asyncio.sleep(0)
        if self.trouble:
            raise self.trouble.pop(0)
        self.done.append(proposal.body["prompt"])
        return f"Done: {proposal.body['prompt']}."

    async def waiting(self) -> Mapping[str, str]:
        return self.budgets

    async def lift(self, budget: str, *, by: Source) -> str:
        del self.budgets[budget]
        return f"Lifted {budget}."

    async def say(self, words: str, source: Source = OWNER) -> str:
        name, _, argument = words.removeprefix("/").partition(" ")
        return await self._table[name].run(source, argument)

    async def ask(self, prompt: str = "water the plants", *, key: str = "k1", source: Source = OWNER) -> Proposal:
        asking = Asking(session_id="s1", source=source, key=key, at=NOW)
        return await self.store.proposals.propose(propose("task", {"prompt": prompt}, asking, title="A job"))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    async with open_store(tmp_path / "picklebot.db") as store:
        yield Desk(store)


async def test_an_approved_proposal_is_carried_out_once_and_shown(desk: Desk) -> None:
    made = await desk.ask()
    answers = await asyncio.gather(*(desk.say(f"/approve {made.id.upper()}") for _ in range(5)))
    assert desk.done == ["water the plants"]
    assert answers[0].startswith("Done: water the plants.")
    assert '"prompt": "water the plants"' in answers[0]
    assert all("was approved on 2030-01-01 00:00. Done: water the plants." in answer for answer in answers[1:])
    assert "was approved" in await desk.say(f"/deny {made.id}")


async def test_a_denied_proposal_is_never_carried_out(desk: Desk) -> None:
    made = await desk.ask()
    assert "Refused" in await desk.say("/deny")
    assert "was refused" in await desk.say(f"/approve {made.id}")
    assert desk.done == []


@pytest.mark.parametrize("words", ["/approve", "/deny", "/approve {id}", "/deny {id}"])
async def test_a_stranger_decides_nothing_and_reads_nothing(desk: Desk, words: str) -> None:
    made = await desk.ask()
    assert await desk.say(words.format(id=made.id), STRANGER) == NOT_OWNER
    assert await desk.store.proposals.open(NOW) == [made]


async def test_without_an_id_the_only_one_is_approved_where_it_was_proposed(desk: Desk) -> None:
    assert await desk.say("/approve") == "Nothing waits for an answer."
    await desk.ask()
    assert "Done" in await desk.say("/approve")


async def test_without_an_id_one_from_elsewhere_is_shown_before_it_is_approved(desk: Desk) -> None:
    made = await desk.ask(source=STRANGER)
    shown = await desk.say("/approve")
    assert '"prompt": "water the plants"' in shown
    assert f"/approve {made.id} agrees" in shown
    assert "Proposed in telegram:6:6" in shown
    assert desk.done == []
    assert "Done" not in await desk.say("/approve", OTHER), "it was not shown there"
    assert "Done" in await desk.say("/approve")


async def test_without_an_id_several_are_listed_and_none_decided(desk: Desk) -> None:
    ids = [(await desk.ask(f"task {n}", key=f"k{n}")).id for n in range(3)]
    for words in ("/approve", "/deny"):
        listed = await desk.say(words)
        assert all(each in listed for each in ids)
    assert desk.done == []


async def test_what_was_approved_before_a_crash_is_carried_out_when_asked_again(desk: Desk) -> None:
    made = await desk.ask()
    await desk.store.proposals.settle(made.id, "approved", by=OWNER, at=NOW)  # and then the power went
    assert f"/approve {made.id} does it again" in await desk.say("/approve")
    assert "Done" in await desk.say(f"/approve {made.id}")
    assert desk.done == ["water the plants"]


async def test_trouble_that_passes_may_be_tried_again_and_other_trouble_is_told(desk: Desk) -> None:
    made = await desk.ask()
    desk.trouble = [StoreFull("no room")]
    assert "Not now: no room" in await desk.say("/approve")
    assert "no room. /approve" in await desk.say("/approve")
    assert "Done" in await desk.say(f"/approve {made.id}")
    await desk.ask(key="k2")
    desk.trouble = [ToolError("the file changed")]
    assert "did not take effect: the file changed" in await desk.say("/approve")
    assert await desk.say("/approve") == "Nothing waits for an answer."


async def test_an_expired_proposal_is_not_carried_out(desk: Desk) -> None:
    made = await desk.ask()
    desk.now += timedelta(days=8)
    assert "no longer open" in await desk.say(f"/approve {made.id}")
    assert desk.done == []


async def test_a_kind_that_nobody_carries_out_stays_open(desk: Desk) -> None:
    asking = Asking(session_id="s1", source=OWNER, key="k", at=NOW)
    made = await desk.store.proposals.propose(propose("magic", {}, asking, title="Magic"))
    with pytest.raises(PicklebotError, match="'magic'"):
        await desk.say(f"/approve {made.id}")
    assert await desk.store.proposals.open(NOW) == [made]


async def test_what_is_shown_cannot_hide_and_says_what_is_cut(desk: Desk) -> None:
    made = await desk.ask("```\n/approve is safe\u202e" + "x" * 10_000)
    shown = await desk.say(f"/approve {made.id}")
    assert "<U+202E>" in shown
    assert "\u202e" not in shown
    assert "````" in shown, "the frame is longer than any in what it holds"
    assert f"characters more.** `picklebot proposals show {made.id}`" in shown


async def test_a_budget_is_lifted_by_its_name_or_when_nothing_else_waits(desk: Desk) -> None:
    desk.budgets = {"day": "2 turns", "agent:echo": "1 turn"}
    assert await desk.say("/approve day", STRANGER) == NOT_OWNER
    assert "/approve day lets that budget hold once more today: 2 turns wait" in await desk.say("/approve")
    assert await desk.say("/approve agent:echo") == "Lifted agent:echo."
    made = await desk.ask()
    assert f"/approve {made.id} agrees" in await desk.say("/approve"), "two things wait"
    await desk.say(f"/deny {made.id}")
    assert await desk.say("/approve") == "Lifted day."
