"""A conversation that outgrows its model's window goes on, and nothing of it is lost."""

import asyncio
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from picklebot.core.events import DefinitionChanged
from picklebot.core.messages import Message
from picklebot.testing import FakeChannel
from picklebot.testing.faults import Fault, stall, status, stop_reason
from picklebot.testing.messages_api import MessagesApi
from tests.cli.inside import command, document
from tests.flow.clerk import FACT, FILLER, KNOWN, LATER, WINDOW, Clerk, ask, is_paired, saved, talk, words_of
from tests.flow.conftest import Served


async def test_a_conversation_far_past_the_window_still_answers_from_its_first_message_and_is_kept_whole(
    served: Served, channel: FakeChannel, workspace: Path
) -> None:
    clerk = Clerk()
    async with MessagesApi(default=clerk, window=WINDOW) as api, served(api, KNOWN) as app:
        await ask(channel, f"{FACT}. Look into /srv/shed/plan.txt on 2026-11-03.")
        told = await talk(channel, 40)
        assert await ask(channel, "What is the code of the shed?") == FACT
        assert await ask(channel, "What is the name of the cat?") == LATER.strip(". ")
        [session] = await app.store.sessions.recent()
        counts = await app.store.ledger.spend("session")
    assert all(is_paired(body) for body in clerk.shown)
    assert api.request_count == len(clerk.asked), "the server refused none"
    assert clerk.asked.count("summary") >= 3
    assert counts[0].calls == len(clerk.asked), "what it took is counted"
    notices = [words for words in told if "made our conversation shorter" in words]
    assert len(notices) == clerk.asked.count("summary")
    assert all(len(words.splitlines()) == 3 for words in notices), "the answer, and one line"
    last = words_of(clerk.shown[-1])
    assert "/srv/shed/plan.txt" in last
    assert "2026-11-03" in last
    exported = json.loads((await command(workspace, "sessions", "export", session.id)).stdout)
    kept = exported["compactions"]
    assert {(each["why"], each["state"]) for each in kept} == {("full", "done")}
    assert all("4711-a" in each["summary"] for each in kept)
    said = [m for m in exported["messages"] if m["role"] == "user"]
    assert [m["content"][-1]["text"][:7] for m in said[1:-2]] == [f"Turn {n}."[:7] for n in range(40)]
    assert all(FILLER.strip() in m["content"][-1]["text"] for m in said[1:-2])
    assert FACT in saved(workspace)
    replayed = await document(workspace, "sessions", "replay", session.id)
    assert (replayed["identical"], replayed["turns"]) == (True, 43)


async def test_the_same_where_nobody_knows_the_window_and_the_server_refuses(
    served: Served, channel: FakeChannel, workspace: Path
) -> None:
    clerk = Clerk()
    async with MessagesApi(default=clerk, window=WINDOW) as api, served(api, "context: {window: 1000000}") as app:
        await ask(channel, FACT)
        told = await talk(channel, 30)
        assert await ask(channel, "What is the code of the shed?") == FACT
        assert await ask(channel, "What is the name of the cat?") == LATER.strip(". ")
        [session] = await app.store.sessions.recent()
    assert api.request_count > len(clerk.asked), "the server refused some"
    flushes, summaries = clerk.asked.count("flush"), clerk.asked.count("summary")
    assert flushes == summaries >= 2, "notes are saved on this path too"
    assert not [words for words in told if "could not" in words]
    done = await command(workspace, "sessions", "replay", session.id, "--json")
    assert json.loads(done.stdout)["identical"] is True


async def test_a_conversation_that_cannot_be_made_shorter_in_time_goes_on_until_the_model_refuses(
    served: Served, channel: FakeChannel
) -> None:
    nothing = Message("assistant", ())
    clerk = Clerk(summaries=[nothing, nothing, nothing])
    async with MessagesApi(default=clerk, window=WINDOW) as api, served(api, KNOWN):
        await ask(channel, FACT)
        told = await talk(channel, 14)
        assert await ask(channel, "What is the code of the shed?") == FACT
    failures = [words for words in told if "could not make our conversation shorter" in words]
    assert len(failures) == 3
    assert all("Noted" in words for words in failures)


async def test_big_old_results_go_first_and_can_be_read_again(
    served: Served, channel: FakeChannel, workspace: Path
) -> None:
    for n in range(3):
        (workspace / f"{n}.txt").write_text(f"The size of the box is {n}-cm. " + "Nothing else is to be said. " * 700)
    clerk = Clerk()
    async with MessagesApi(default=clerk, window=WINDOW) as api, served(api, KNOWN):
        await ask(channel, "Read 2 times")
        await talk(channel, 6)
        assert clerk.asked.count("summary") == 0
        last = clerk.shown[-1]
        stubs = [b["content"] for m in last["messages"] for b in m["content"] if b["type"] == "tool_result"]
        assert [len(stub) < 600 for stub in stubs] == [True, True]
        assert "read_result(call_id='r" in stubs[0]
        assert is_paired(last)
        call_id = re.search(r"call_id='(\w+)'", stubs[0])
        assert call_id
        call = {"type": "tool_use", "id": "again", "name": "read_result", "input": {"call_id": call_id[1], "offset": 9}}
        api.extend(Message("assistant", (call,)))
        assert "1 results" in await ask(channel, "once more, please")
        [again] = [b for m in clerk.shown[-1]["messages"] for b in m["content"] if b.get("tool_use_id") == "again"]
        assert "Nothing else is to be said. " * 600 in again["content"]


async def test_a_turn_that_outgrows_the_window_by_itself_makes_room_between_its_steps(
    served: Served, channel: FakeChannel, workspace: Path
) -> None:
    for n in range(16):
        (workspace / f"{n}.txt").write_text("Nothing else is to be said. " * 700)
    clerk = Clerk()
    async with MessagesApi(default=clerk, window=WINDOW) as api, served(api, KNOWN) as app:
        await ask(channel, FACT)
        assert "16 results" in await ask(channel, "Read 16 times")
        assert await ask(channel, "What is the code of the shed?") == FACT
        [session] = await app.store.sessions.recent()
        said = await app.store.sessions.transcript(session.id)
    assert max(len(str(message.blocks)) for message in said) > 16 * 15_000, "the transcript has it all"
    assert all(is_paired(body) for body in clerk.shown)


async def test_a_turn_that_was_made_shorter_in_its_middle_goes_on_there_after_a_restart(
    served: Served, channel: FakeChannel, workspace: Path
) -> None:
    for n in range(40):
        (workspace / f"{n}.txt").write_text("Nothing else is to be said. " * 60)
    clerk = Clerk()
    stalled = asyncio.Event()

    def answer(body: Mapping[str, Any]) -> str | Message | Fault:
        reply = clerk(body)
        if isinstance(reply, Message) and "33.txt" in str(reply.blocks) and not stalled.is_set():
            stalled.set()
            return stall()
        return reply

    async with MessagesApi(default=answer, window=WINDOW) as api:
        async with served(api, KNOWN, grace=0.01) as app:
            await ask(channel, FACT)
            await channel.say("Read 36 one by one")
            await stalled.wait()
            rows = await app.store.compactions.of_session((await app.store.sessions.recent())[0].id)
            assert [row.state for row in rows].count("done") >= 1
            assert rows[-1].compaction.within > 0
            summaries = clerk.asked.count("summary")
        before = words_of(clerk.shown[-1])
        async with served(api, KNOWN) as app:
            assert (await channel.heard())[1].startswith("I have read 36.")
            assert clerk.asked.count("summary") == summaries, "what was put away stays so"
            again = clerk.shown[[words_of(body) for body in clerk.shown].index(before)]
            assert words_of(clerk.shown[len(clerk.shown) - 4]) == words_of(again)
            assert (await ask(channel, "What is the code of the shed?")).startswith(FACT)
            [session] = await app.store.sessions.recent()
            assert len(await app.store.sessions.transcript(session.id)) == 2 + 74 + 2
    assert all(is_paired(body) for body in clerk.shown)
    replayed = await document(workspace, "sessions", "replay", session.id)
    assert (replayed["identical"], replayed["turns"]) == (True, 3)


async def test_a_reply_that_the_end_of_the_window_cut_off_is_asked_for_again_with_more_room(
    served: Served, channel: FakeChannel, workspace: Path
) -> None:
    clerk = Clerk()
    async with MessagesApi(default=clerk) as api, served(api, "context: {window: 1000000}") as app:
        await ask(channel, FACT)
        await talk(channel, 5)
        api.extend(stop_reason("model_context_window_exceeded", reply="The code of"))
        told = await ask(channel, "What is the code of the shed?")
        [session] = await app.store.sessions.recent()
        [spent] = await app.store.ledger.spend("session")
    assert told.startswith(FACT)
    assert "made our conversation shorter" in told
    assert spent.calls == len(clerk.asked) + 1
    replayed = await document(workspace, "sessions", "replay", session.id)
    assert replayed["identical"] is True


async def test_a_fallback_with_a_smaller_window_gets_a_conversation_that_it_can_hold(
    served: Served, channel: FakeChannel
) -> None:
    clerk = Clerk()
    async with MessagesApi(default=clerk) as big, MessagesApi(default=clerk, window=WINDOW) as small:
        more = f"""
context: {{windows: {{claude-sonnet-5-5: 1000000, little: {WINDOW}}}}}
"""
        served_by = (
            f"fallback: [little], providers: {{little: {{provider: anthropic, name: little, base_url: '{small.url}'}}}}"
        )
        async with served(big, more, model=served_by):
            await ask(channel, FACT)
            await talk(channel, 16)
            assert clerk.asked.count("summary") == 0
            big.extend(*[status(529, headers={"retry-after": "0"})] * 2)
            assert (await ask(channel, "What is the code of the shed?")).startswith(FACT)
    assert clerk.asked.count("summary") == clerk.asked.count("flush") >= 1
    assert small.request_count == len(clerk.asked) - big.request_count + 2, "it refused none"


async def test_a_conversation_that_a_turns_budget_would_soon_not_bear_is_made_shorter_too(
    served: Served, channel: FakeChannel, workspace: Path
) -> None:
    clerk = Clerk()
    async with MessagesApi(default=clerk) as api, served(api, "context: {window: 1000000}") as app:
        # 0.08 dollars buy 32,000 tokens of this model, and none of its calls may take more than that in the worst case.
        (workspace / "agents/pickle/AGENT.md").write_text(
            "---\nname: pickle\nbudget: {turn_usd: 0.08}\n---\nYou are pickle.\n"
        )
        with app.bus.subscribe(DefinitionChanged) as changes:
            async with asyncio.timeout(10):
                await anext(changes)
        await ask(channel, FACT)
        told = await talk(channel, 20)
        assert await ask(channel, "What is the code of the shed?") == FACT
    assert not [words for words in told if "could not" in words or "I stopped" in words]
    assert clerk.asked.count("summary") >= 1
