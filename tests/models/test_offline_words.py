"""What the offline stand-in says: results in words, and what it knows by itself."""

import json

import pytest

from picklebot.core.messages import Block, Message, ToolResult
from picklebot.models.offline import answer
from tests.models.standing_in import TOOLS, after, asking, opening, said


@pytest.mark.parametrize(
    ("text", "result", "words"),
    [
        ("remember that I like my tea", "Saved in topics/x.md.", "I will remember that you like your tea."),
        ("remember to buy milk", "Saved.", "I will remember to buy milk."),
        ("what is my name", "[topics/identity.md, from cli:ann]\nmy name is Ann", "From my memory: my name is Ann"),
        ("recall tea", "- tea is hot\n- tea is green", "From my memory:\n- tea is hot\n- tea is green"),
        ("recall green tea", "tea is hot\n\ngreen tea is best", "From my memory: green tea is best"),
        ("recall tea", "Nothing is remembered about 'tea'.", "I have nothing about tea in my memory."),
        ("who am I", "", "I have nothing about you in my memory."),
        ("read a.txt", "one\ntwo\n", "a.txt says:\n\n```\none\ntwo\n```"),
        ("read a.txt", "[a.txt is empty]", "[a.txt is empty]"),
        ("list files", "a.txt\nnotes/", "I found 2 entries:\n- a.txt\n- notes/"),
        ("list files", "nothing.md", "I found 1 entry:\n- nothing.md"),
        ("find *.py files", "Nothing matches '**/*.py'.", "I found no files that match **/*.py."),
        ("run date", "Sat\n", "```\nSat\n```"),
        ("run cat x", "```\n", "````\n```\n````"),
        ("run true", "", "It ran and printed nothing."),
        ("write a.txt with x", "Wrote 1 character.", "I wrote a.txt."),
        (
            "write crons/a/CRON.md with x",
            "Proposed as k7, and NOT in force: a.",
            "Proposed as k7, and NOT in force: a.",
        ),
        ("replace a with b in c.txt", "ok", "I changed c.txt."),
        ("list my tasks", "", "Nothing is scheduled."),
        ("cancel task t-1", "ok", "I cancelled t-1."),
        ("ask cookie to sing", json.dumps({"result": "la la", "session_id": "s"}), "cookie says: la la"),
        ("ask cookie to sing", "la la", "cookie says: la la"),
        ("use the pdf skill", "  How to read a PDF.  ", "How to read a PDF."),
    ],
)
def test_a_result_is_told_in_words(text: str, result: str, words: str) -> None:
    assert after(text, result) == words


def test_a_scheduled_reminder_says_when_and_how_to_undo_it() -> None:
    told = after("remind me to call mum in 10 minutes", json.dumps({"id": "t-1"}))
    assert told == "I will remind you at 2026-11-21 10:10: call mum. To undo it, say: cancel task t-1"


def test_a_tools_error_is_told_in_words() -> None:
    assert after("read a.txt", "there is no such file", is_error=True) == "That did not work: there is no such file."


def test_a_result_may_come_as_blocks() -> None:
    asked = answer(asking(opening("run date")))
    blocks: list[Block] = [{"type": "text", "text": "Sat"}, {"type": "image", "source": {}}]
    results = Message.results([ToolResult(asked.calls()[0].id, blocks)], note="[You have made the same call twice.]")
    assert answer(asking(opening("run date"), asked, results)).text == "```\nSat\n[image]\n```"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("what did I say first?", "You said: one"),
        ("What did I say before?", "You said: two"),
        ("my last message", "You said: two"),
        ("what did you say", "I said: second"),
        ("summarize our conversation", "The user said, in order:\n- one\n- two"),
    ],
)
def test_the_conversation_is_remembered_as_it_was(text: str, words: str) -> None:
    history = [opening("one"), Message.assistant("first"), opening("two"), Message.assistant("second")]
    assert answer(asking(*history, opening(text))).text == words


def test_what_was_said_here_about_something_needs_no_memory() -> None:
    history = [opening("the bike is red"), Message.assistant("ok")]
    assert answer(asking(*history, opening("what did I say about the bike?"))).text == "You said: the bike is red"
    assert answer(asking(*history, opening("what did I say about the car?"))).calls()[0].name == "search_memory"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("what is 12*7", "12*7 = 84"),
        ("What is (1 + 2) * 3.5?", "(1 + 2) * 3.5 = 10.5"),
        ("12 times 7", "12 times 7 = 84"),
        ("2 ** 10 =", "2 ** 10 = 1024"),
        ("calculate 1,000 / 8", "1,000 / 8 = 125"),
        ("what is 1/0", "1/0 has no result: it divides by zero."),
        ("what is 9**9**9", "9**9**9 is too large for me."),
        ("what is -0.0 * 2", "-0.0 * 2 = 0"),
    ],
)
def test_sums_are_computed(text: str, words: str) -> None:
    assert said(text) == words


@pytest.mark.parametrize("text", ["thanks!", "bye", "How are you?"])
def test_small_talk_is_answered_briefly(text: str) -> None:
    assert "do not understand" not in said(text)


def test_help_lists_only_what_the_tools_allow() -> None:
    few = [tool for tool in TOOLS if tool.name == "read_file"]
    assert "read README.md" in said("help", few)
    assert "remind me" not in said("what can you do?", few)
    assert "remind me" in said("help")
    assert "12*7" in said("help", [])
