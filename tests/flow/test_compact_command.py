"""/compact and /context: room made because somebody says so, and what fills the window."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from picklebot.core.messages import Message
from picklebot.testing import FakeChannel
from picklebot.testing.faults import Fault, slow, stall, stop_reason
from picklebot.testing.messages_api import MessagesApi
from picklebot.testing.prompt_cache import count_tokens
from tests.cli.inside import document
from tests.flow.clerk import FACT, KNOWN, LATER, WINDOW, Clerk, ask, saved, talk, words_of
from tests.flow.conftest import Served


async def test_compact_makes_room_on_request_and_says_so_once(
    served: Served, channel: FakeChannel, workspace: Path
) -> None:
    clerk = Clerk()
    async with MessagesApi(default=clerk, window=WINDOW) as api, served(api, KNOWN) as app:
        await ask(channel, FACT)
        assert "nothing to make shorter yet" in await ask(channel, "/compact")
        assert clerk.asked == ["turn"]
        await talk(channel, 5)
        told = await ask(channel, "/compact keep all about the shed")
        assert "I made our conversation shorter" in told
        assert "keep all about the shed" in words_of(clerk.shown[-1])
        assert clerk.asked[-2:] == ["flush", "summary"]
        shown = len(words_of(clerk.shown[-3]))
        assert await ask(channel, "What is the code of the shed?") == FACT
        assert len(words_of(clerk.shown[-1])) < shown / 2
        assert channel.silent
        [session] = await app.store.sessions.recent()
    async with MessagesApi(default=clerk, window=WINDOW) as api, served(api, KNOWN):
        assert await ask(channel, "What is the name of the cat?") == LATER.strip(". "), "as after any restart"
        assert len(words_of(clerk.shown[-1])) < shown / 2
    replayed = await document(workspace, "sessions", "replay", session.id)
    assert replayed["identical"] is True


@pytest.mark.parametrize(
    "summary",
    ["", stop_reason("max_tokens", reply="What is kno"), Message("assistant", ()), stop_reason("refusal", reply="No.")],
    ids=["empty", "cut off", "nothing", "refused"],
)
async def test_a_summary_that_is_no_good_changes_nothing_and_is_told_of(
    served: Served, channel: FakeChannel, summary: str | Message | Fault
) -> None:
    clerk = Clerk(summaries=[summary] if summary else [Message("assistant", ())])
    async with MessagesApi(default=clerk, window=WINDOW) as api, served(api, KNOWN) as app:
        await ask(channel, FACT)
        await talk(channel, 4)
        shown = words_of(clerk.shown[-1])
        told = await ask(channel, "/compact")
        assert "could not make our conversation shorter" in told
        assert "cannot be used" in told
        await ask(channel, "go on")
        assert words_of(clerk.shown[-1]).startswith(shown)
        [spent] = await app.store.ledger.spend("session")
        assert spent.calls == len(clerk.asked), "what it took is counted all the same"
        assert "I made our conversation shorter" in await ask(channel, "/compact")


async def test_a_window_that_is_not_known_is_asked_for_once_and_nobody_waits_for_it(
    served: Served, channel: FakeChannel, agents: Callable[..., None]
) -> None:
    agents(pickle={"model": "{name: tiny-1}"})
    clerk = Clerk()
    async with MessagesApi(default=clerk, window=WINDOW) as api, served(api):
        await ask(channel, FACT)
        assert "not known, and its server does not say" in await ask(channel, "/context")
        await api.listed()
        assert (api.list_count, api.request_count) == (1, 1)
    async with MessagesApi(default=clerk, window=WINDOW) as api:
        api.models = [{"id": "other-2", "max_input_tokens": 7}, {"id": "tiny-1", "max_model_len": WINDOW}, {"id": 5}]
        async with served(api) as app:
            while f"of {WINDOW:,} " not in await ask(channel, "/context"):
                await api.listed()
            await talk(channel, 12)
            [session] = await app.store.sessions.recent()
            made = await app.store.compactions.of_session(session.id)
            assert {each.why for each in made} == {"full"}, "before the server had to refuse"
            assert api.list_count == 1


async def test_context_says_what_fills_the_window_and_the_parts_add_up(served: Served, channel: FakeChannel) -> None:
    clerk = Clerk()
    async with MessagesApi(default=clerk, window=WINDOW) as api, served(api, KNOWN):
        assert "no session here yet" in await ask(channel, "/context")
        await ask(channel, FACT)
        first = await ask(channel, "/context")
        await talk(channel, 5)
        await ask(channel, "/compact")
        second = await ask(channel, "/context")
        counted = count_tokens(clerk.shown[0])
    assert "of 20,000 (" in first
    for told in (first, second):
        whole = int(re.search(r"About ([\d,]+)", told)[1].replace(",", ""))  # type: ignore[index]
        parts = re.findall(r"^- (?!free|messages)[\w ]+: ([\d,]+)", told, re.MULTILINE)
        assert abs(whole - sum(int(part.replace(",", "")) for part in parts)) <= len(parts)
    assert f"About {counted:,}"[:8] in first, "what the model counted is what is said"
    assert "record of what came before" in second
    assert "before more than 15,000 are filled" in second
    assert "- messages: 12, 3 of them shown as they were said" in second


@pytest.mark.parametrize("queue", ["collect", "steer", "interrupt"])
async def test_compact_waits_for_its_place_whatever_the_queue_does_with_other_messages(
    served: Served, channel: FakeChannel, agent: Callable[..., None], queue: str
) -> None:
    clerk = Clerk()
    agent("pickle", "You are pickle.", queue=queue)
    async with MessagesApi(default=clerk) as api, served(api, KNOWN):
        await ask(channel, FACT)
        await talk(channel, 5)
        api.extend(slow(0.3, reply="That took a while."))
        await channel.say("a question")
        await api.asked(len(clerk.asked) + 1)
        await channel.say("/compact")
        heard = [(await channel.heard())[1] for _ in range(2)]
        assert "That took a while." in heard[0]
        assert "I made our conversation shorter" in heard[1]
        assert await ask(channel, "What is the code of the shed?") == FACT
    assert all("/compact" not in words_of(body) for body in clerk.shown)


async def test_a_daemon_that_stops_while_it_makes_room_goes_on_from_the_notes_that_were_saved(
    served: Served, channel: FakeChannel, workspace: Path
) -> None:
    clerk = Clerk(summaries=[stall()])
    async with MessagesApi(default=clerk, window=WINDOW) as api:
        async with served(api, KNOWN, grace=0.01):
            await ask(channel, FACT)
            await talk(channel, 5)
            await channel.say("/compact")
            await api.asked(6 + 2)
        async with served(api, KNOWN) as app:
            assert "I made our conversation shorter" in (await channel.heard())[1]
            [session] = await app.store.sessions.recent()
            [row] = await app.store.compactions.of_session(session.id)
    assert row.state == "done"
    assert clerk.asked[6:] == ["flush", "summary", "summary"]
    assert saved(workspace).count(FACT) == 1


async def test_what_is_saved_of_a_conversation_that_has_read_the_web_is_kept_apart(
    served: Served, channel: FakeChannel, workspace: Path
) -> None:
    channel.name = "cli"  # the owner's own words bear no mark
    clerk = Clerk()
    fetching = {"type": "tool_use", "id": "w1", "name": "web_fetch", "input": {"url": "http://127.0.0.1/"}}
    async with MessagesApi(default=clerk, window=WINDOW) as api, served(api, KNOWN):
        await ask(channel, f"{FACT}.")
        await talk(channel, 4)
        await ask(channel, "/compact")
        assert "quarantine" not in {file.parent.name for file in (workspace / "memories").rglob("*.md")}
        api.extend(Message("assistant", (fetching,)))
        await ask(channel, "The name of the dog is Rex-1. Look into the web.")
        await talk(channel, 4)
        assert "I made our conversation shorter" in await ask(channel, "/compact")
    apart = "".join(file.read_text() for file in (workspace / "memories/quarantine").rglob("*.md"))
    assert "The name of the dog is Rex-1" in apart
