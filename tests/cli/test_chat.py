"""The conversation at a terminal: the real program."""

import asyncio
import re
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from picklebot.channels.terminal import whoami
from picklebot.clock import SystemClock
from picklebot.core.source import Source
from picklebot.store.base import Arrival
from picklebot.store.sqlite import SqliteStore
from picklebot.testing.faults import stall, status
from picklebot.testing.messages_api import MessagesApi
from tests.cli.running import fill, run
from tests.cli.terminal import ALT_ENTER, CTRL_C, ENTER, Terminal


@pytest.fixture
def chat(workspace: Path) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def open_terminal(*arguments: str, **more: str) -> Terminal:
        opened.append(Terminal(workspace, *arguments, **more))
        return opened[-1]

    yield open_terminal
    for terminal in opened:
        terminal.close()


def api_settings(api: MessagesApi) -> dict[str, str]:
    return {
        "PICKLEBOT_MODEL__PROVIDER": "anthropic",
        "PICKLEBOT_MODEL__BASE_URL": api.url,
        "ANTHROPIC_API_KEY": "test",
    }


def test_one_talks_leaves_and_goes_on_later(chat: Callable[..., Terminal], workspace: Path) -> None:
    terminal = chat()
    terminal.see("echo · a new session")
    terminal.say("what is 6*7", "42")
    assert terminal.text.count("42") == 1
    terminal.say("/help", "/agents")
    terminal.prompt()
    assert terminal.leave() == 0
    history = workspace / ".picklebot" / "history"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert "what is 6*7" in history.read_text()

    again = chat()
    again.see("going on after")
    again.see("42")
    assert "what is 6*7" in again.text
    again.prompt()
    again.type("exit" + ENTER)
    assert again.end() == 0


def test_a_message_may_have_many_lines(chat: Callable[..., Terminal]) -> None:
    terminal = chat()
    terminal.prompt()
    terminal.type("what is" + ALT_ENTER + "12*\\" + ENTER + "12" + ENTER)
    terminal.see("144")
    terminal.prompt()
    terminal.type("\x1b[200~what is\n13*13\x1b[201~")
    terminal.see("13*13")
    assert "169" not in terminal.text
    terminal.type(ENTER)
    terminal.see("169")
    terminal.prompt()
    assert terminal.leave() == 0


def test_commands_and_agents_are_completed(chat: Callable[..., Terminal]) -> None:
    terminal = chat()
    terminal.see("a new session")
    terminal.prompt()
    terminal.type("/ag")
    terminal.see("Which agents there are.")
    terminal.type(CTRL_C)
    terminal.prompt()
    terminal.type("/agent ")
    terminal.see("Says back what it hears.")
    terminal.type("\t" + ENTER)
    terminal.see("echo answers from now on")


def test_ctrl_c_clears_what_was_typed_first_and_leaves_then(chat: Callable[..., Terminal]) -> None:
    terminal = chat()
    terminal.see("a new session")
    terminal.type("half a thought")
    terminal.see("half a thought")
    terminal.type(CTRL_C)
    terminal.wait(lambda text: "half a thought" not in text)
    assert terminal.interrupt_until_it_ends() in {130, -signal.SIGINT}


def test_a_single_ctrl_c_says_how_to_leave(chat: Callable[..., Terminal]) -> None:
    terminal = chat()
    terminal.see("a new session")
    terminal.prompt()
    terminal.type(CTRL_C)
    terminal.see("Ctrl-C again leaves")
    terminal.say("what is 6*7", "42")
    assert terminal.leave() == 0


async def test_ctrl_c_stops_the_turn_and_the_next_one_works(chat: Callable[..., Terminal]) -> None:
    async with MessagesApi(stall(after_events=3), "All is **well**.") as api:
        terminal = chat(**api_settings(api))

        def talk() -> int:
            terminal.prompt()
            terminal.type("tell me a story" + ENTER)
            terminal.see("this a")  # the stalled server said a little more: what a secret may begin with is held back
            assert not terminal.echoes
            terminal.type(CTRL_C)
            terminal.see("Stopped.")
            terminal.say("and now?", "All is well.")
            assert terminal.text.count("All is well.") == terminal.text.count("Stopped.") == 1
            assert terminal.text.count("this a") == 1
            return terminal.leave()

        assert await asyncio.to_thread(talk) == 0


async def test_ctrl_c_twice_leaves_a_turn_that_runs(chat: Callable[..., Terminal]) -> None:
    async with MessagesApi(stall(), stall()) as api:
        terminal = chat(**api_settings(api))

        def talk() -> int:
            terminal.prompt()
            terminal.type("tell me a story" + ENTER)
            terminal.see("thinking…")
            return terminal.interrupt_until_it_ends()

        # A third press, while it is leaving, ends it at once; a shell calls both 130.
        assert await asyncio.to_thread(talk) in {130, -signal.SIGINT}


async def test_a_failure_is_told_in_words_and_the_conversation_goes_on(chat: Callable[..., Terminal]) -> None:
    async with MessagesApi(status(401), "fine") as api:
        terminal = chat(**api_settings(api))

        def talk() -> int:
            terminal.say("hello", "I could not finish")
            terminal.say("and now?", "fine")
            return terminal.leave()

        assert await asyncio.to_thread(talk) == 0


def test_sigterm_ends_it_in_good_order(chat: Callable[..., Terminal], workspace: Path) -> None:
    terminal = chat()
    terminal.see("a new session")
    terminal.prompt()
    terminal.signal(signal.SIGTERM)
    assert terminal.end() == 143
    assert not (workspace / ".picklebot" / "daemon.json").exists()


def test_a_session_that_does_not_exist_is_told_in_words(chat: Callable[..., Terminal]) -> None:
    terminal = chat("-s", "nosuchsession")
    assert terminal.end() == 1
    assert "there is no session 'nosuchsession'" in terminal.text


def test_one_chooses_the_session(chat: Callable[..., Terminal]) -> None:
    first = chat()
    first.say("remember that I like tea", "tea")
    first.say("/session", "Session ")
    found = re.search(r"Session (\w{24})", first.text)
    assert found
    assert first.leave() == 0
    fresh = chat("--new")
    fresh.see("a new session")
    fresh.prompt()
    assert fresh.leave() == 0
    back = chat("-s", found[1][:16])
    back.see("remember that I like tea")
    assert back.leave() == 0


def test_without_colour_there_is_none(chat: Callable[..., Terminal]) -> None:
    terminal = chat(NO_COLOR="1")
    terminal.say("help", "stand-in")
    assert not re.search(r"\x1b\[[0-9;]*\b(3[0-7]|9[0-7]|4[0-7])m", terminal.raw)


async def leave_a_reply(store: SqliteStore) -> None:
    source = Source("cli", (whoami(),))
    arrival = Arrival(source=source, content="/x", key="k1", agent_id="echo", at=SystemClock().now())
    await store.inbox.answer(arrival, "The kettle is **on**.")


async def undelivered(store: SqliteStore) -> int:
    return (await store.ledger.counts()).undelivered


def test_a_reply_that_waited_is_shown_above_the_prompt_once(chat: Callable[..., Terminal], workspace: Path) -> None:
    asyncio.run(fill(workspace, leave_a_reply))
    terminal = chat()
    terminal.see("The kettle is on.")
    terminal.see("(this arrived meanwhile)")
    terminal.prompt()
    assert terminal.leave() == 0
    assert asyncio.run(fill(workspace, undelivered)) == 0


def test_only_one_program_at_a_time_talks_in_a_workspace(chat: Callable[..., Terminal], workspace: Path) -> None:
    terminal = chat()
    terminal.see("a new session")
    done = run(workspace, "chat")
    assert done.returncode == 75
    assert "already runs in this workspace" in done.stderr
    terminal.say("what is 6*7", "42")
