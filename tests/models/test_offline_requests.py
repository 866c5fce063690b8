"""What a person may say to the offline stand-in, and the call that it becomes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from picklebot.core.messages import Message
from picklebot.models.base import ModelRequest
from picklebot.models.offline import answer
from picklebot.models.offline.fitting import fits
from tests.models.standing_in import calls, said


@pytest.mark.parametrize(
    ("text", "topic", "content"),
    [
        ("remember that I like tea", "preferences", "I like tea"),
        ("Please remember: my name is Ann.", "identity", "my name is Ann"),
        ("Pickle: could you remember that the sky is blue, please?", "notes", "the sky is blue"),
        ("note that my sister is called Eve", "people", "my sister is called Eve"),
        ("can you remember that I like jam", "preferences", "I like jam"),
    ],
)
def test_what_is_to_be_remembered_is_saved_under_a_topic(text: str, topic: str, content: str) -> None:
    assert calls(text) == [("save_memory", {"topic": topic, "content": content})]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("what do you know about my cat?", "cat"),
        ("what do you remember about the garden", "garden"),
        ("recall tea", "tea"),
        ("do you remember my name?", "name"),
        ("What's my cat called?", "cat"),
        ("When is my birthday", "birthday"),
        ("where is the key?", "key"),
        ("tell me what my favourite colour is", "favourite colour"),
        ("who am I", "I am my name"),
        ("what do you know about me?", "I me my"),
    ],
)
def test_questions_about_the_person_search_memory(text: str, query: str) -> None:
    assert calls(text) == [("search_memory", {"query": query})]


@pytest.mark.parametrize(
    ("text", "tool", "given_input"),
    [
        ("read README.md", "read_file", {"path": "README.md"}),
        ("Show me docs/a.md.", "read_file", {"path": "docs/a.md"}),
        ('what is in "my notes.txt"?', "read_file", {"path": "my notes.txt"}),
        ("list files", "glob", {"pattern": "*"}),
        ("what files are in docs?", "glob", {"pattern": "docs/*"}),
        ("find *.py files", "glob", {"pattern": "**/*.py"}),
        ("search for a.b in README.md", "grep", {"pattern": r"a\.b", "path": "README.md"}),
        ('grep "a.*b" in src', "grep", {"pattern": "a.*b", "path": "src"}),
        ("write a.txt with Hello, World!", "write_file", {"path": "a.txt", "content": "Hello, World!"}),
        ("create a.txt containing 'one\n  two'", "write_file", {"path": "a.txt", "content": "one\n  two"}),
        ("save hello there to a.txt.", "write_file", {"path": "a.txt", "content": "hello there"}),
        ("replace a with b! in c.txt", "edit_file", {"path": "c.txt", "old": "a", "new": "b!"}),
        ("run ls -la", "bash", {"command": "ls -la"}),
        ("Could you execute `echo  hi!`, please?", "bash", {"command": "echo  hi!"}),
        ("$ uname -a", "bash", {"command": "uname -a"}),
        ("! date", "bash", {"command": "date"}),
        ("list my reminders", "list_tasks", {}),
        ("cancel task t-1", "cancel_task", {"id": "t-1"}),
        ("ask cookie to say hello", "subagent_dispatch", {"agent_id": "cookie", "task": "say hello"}),
        ("@cookie how are you?", "subagent_dispatch", {"agent_id": "cookie", "task": "how are you?"}),
        ("fetch https://example.org/x", "web_fetch", {"url": "https://example.org/x"}),
        ("search the web for pickles", "web_search", {"query": "pickles"}),
        ("use the pdf skill", "use_skill", {"name": "pdf"}),
    ],
)
def test_a_request_becomes_a_call(text: str, tool: str, given_input: Mapping[str, str]) -> None:
    assert calls(text) == [(tool, given_input)]


@pytest.mark.parametrize(
    ("text", "when", "what"),
    [
        ("remind me to call mum in 10 minutes", {"at": "2026-11-21T10:10"}, "call mum"),
        ("remind me in half an hour to call mum", {"at": "2026-11-21T10:30"}, "call mum"),
        ("in two hours remind me to leave", {"at": "2026-11-21T12:00"}, "leave"),
        ("remind me in 30 seconds to blink", {"at": "2026-11-21T10:02"}, "blink"),
        ("remind me to stretch at 15:00", {"at": "2026-11-21T15:00"}, "stretch"),
        ("remind me at 9 to stretch", {"at": "2026-11-22T09:00"}, "stretch"),
        ("remind me to stretch tomorrow at 3pm", {"at": "2026-11-22T15:00"}, "stretch"),
        ("remind me to leave on monday at 8:30", {"at": "2026-11-23T08:30"}, "leave"),
        ("remind me to leave on saturday at 9", {"at": "2026-11-28T09:00"}, "leave"),
        ("remind me to leave on 2026-12-01 at noon", {"at": "2026-12-01T12:00"}, "leave"),
        ("remind me every day at 9 to water the plants", {"schedule": "0 9 * * *"}, "water the plants"),
        ("remind me to rest every sunday at 12 am", {"schedule": "0 0 * * 0"}, "rest"),
        ("remind me every weekday at 8:30 that it is late", {"schedule": "30 8 * * 1-5"}, "it is late"),
        ("remind me to stretch every 30 minutes", {"every": "30m"}, "stretch"),
        ("remind me to stretch every hour", {"every": "1h"}, "stretch"),
    ],
)
def test_a_reminder_is_scheduled(text: str, when: Mapping[str, str], what: str) -> None:
    assert calls(text) == [("schedule_task", {"prompt": f"Remind the user: {what}", **when})]


@pytest.mark.parametrize(
    "text", ["remind me to breathe", "remind me at 25:00 to sleep", "remind me every 0 minutes to x"]
)
def test_a_reminder_without_a_time_is_asked_about(text: str) -> None:
    assert said(text).startswith("When?")


def test_a_reminder_that_comes_due_is_said() -> None:
    assert said("Remind the user: call mum") == "Reminder: call mum"


@pytest.mark.parametrize(
    ("schema", "value", "fit"),
    [
        ({"type": "string", "minLength": 1}, "", False),
        ({"type": "string", "maxLength": 1, "pattern": "^a"}, "a", True),
        ({"type": "string", "pattern": "^a"}, "b", False),
        ({"type": "string", "pattern": r"\p{L}"}, "b", True),
        ({"type": "integer"}, True, False),
        ({"type": ["boolean", "null"]}, True, True),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 3, False),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, 3, True),
        ({"const": "a"}, "b", False),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, {"a": 1}, False),
        ({"type": "object", "additionalProperties": False}, {"a": 1}, False),
        ({"type": "object", "required": ["a"]}, {}, False),
        ({"$ref": "#/x"}, {}, True),
    ],
)
def test_a_schema_is_kept_as_far_as_it_is_known(schema: Mapping[str, Any], value: object, fit: bool) -> None:
    assert fits(schema, value) is fit


def test_the_record_of_a_long_conversation_is_an_extract_and_keeps_the_one_before() -> None:
    source = "<conversation>\n[record of what came before]\n- user: the old wish\n\n[user] I want tea\n\n[assistant] Tea it is"
    request = ModelRequest(
        system="You keep the record of a conversation between a user and an assistant called Pickle.",
        messages=[
            Message.user(source, "First, is there anything"),
            Message.assistant("no"),
            Message.user("Now write the record"),
        ],
    )
    assert answer(request).text.splitlines()[1:] == [
        "- user: the old wish",
        "- user: I want tea",
        "- assistant: Tea it is",
    ]
    assert not answer(replace(request, messages=request.messages[:1])).calls()
