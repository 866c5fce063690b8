import json
import os
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picklebot.definitions.frontmatter import MAX_BODY, MAX_FRONTMATTER, Document, parse, read
from picklebot.errors import DefinitionError

FILES = Path(__file__).parent / "files"
PATH = Path("AGENT.md")


def front(text: str) -> Document:
    return parse(f"---\n{text}\n---\n", path=PATH)


def refused(text: str) -> DefinitionError:
    with pytest.raises(DefinitionError) as caught:
        parse(text, path=PATH)
    assert caught.value.path == PATH
    return caught.value


def test_keys_and_body_are_told_apart() -> None:
    document = parse("---\nname: Pickle\n\nmodel: x\n---\nHello\n---\nthere\n", path=PATH)
    assert document.fields == {"name": "Pickle", "model": "x"}
    assert document.lines == {"name": 2, "model": 4}
    assert document.body == "Hello\n---\nthere\n"


def test_a_file_without_a_fence_is_all_body() -> None:
    assert parse("name: x\n---\n", path=PATH) == Document(fields={}, lines={}, body="name: x\n---\n")


@pytest.mark.parametrize("text", ["---", "---\n", "---\nname: x\n", "---\nname: x\n----\n", "---\nname: x\n ---\n"])
def test_a_fence_that_is_never_closed_is_an_error_on_line_1(text: str) -> None:
    assert refused(text).line == 1


@pytest.mark.parametrize("text", ["---\n---", "---\n# a remark\n---\n", "---  \n\n---\t\n"])
def test_frontmatter_may_be_empty(text: str) -> None:
    assert parse(text, path=PATH) == Document(fields={}, lines={}, body="")


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert read(FILES / "bom.md").fields == {"name": "Marked"}


def test_a_description_with_a_colon_in_it_is_one_text() -> None:
    assert read(FILES / "colon.md").fields == {"name": "Rain", "description": "Use this when: it rains"}


def test_windows_line_ends_are_line_ends() -> None:
    document = read(FILES / "crlf.md")
    assert document.fields == {"name": "Windows", "queue": "steer"}
    assert document.body == "First line.\nSecond line.\n"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("k: */15 * * * *", "*/15 * * * *"),
        ("k: * * * * *  # each minute", "* * * * *"),
        ("k: *", "*"),
        ("k: @daily", "@daily"),
        ("k: %done", "%done"),
        ("k: `code`", "`code`"),
        ("k: {{ name }}", "{{ name }}"),
        ("k: Use this when: it rains", "Use this when: it rains"),
        ("k: it's: fine", "it's: fine"),
        ("k: ends with:", "ends with:"),
        ('k: "quoted" and more', '"quoted" and more'),
        ("k: [file] [line]", "[file] [line]"),
        ("k: Use when: it rains\n   or it snows", "Use when: it rains or it snows"),
        ("k: |\n  Note: this: that\n  * a\nl: @x", "Note: this: that\n* a\n"),
    ],
)
def test_a_value_that_only_a_person_can_read_is_read_as_meant(line: str, value: str) -> None:
    assert front(line).fields["k"] == value


@pytest.mark.parametrize("word", ["on", "off", "yes", "no", "y", "12:30", "1:30:00", "2026-01-01", "2026-01-01 09:00"])
def test_words_and_times_stay_text(word: str) -> None:
    assert front(f"k: {word}").fields == {"k": word}


@pytest.mark.parametrize("written", ["010", "1.10", "0x10", "0b1", "1_000", "1e5", ".inf", "9" * 40, "'5'"])
def test_a_number_that_would_lose_something_stays_text(written: str) -> None:
    assert front(f"k: {written}").fields == {"k": written.strip("'")}


def test_plain_constants_and_numbers_are_resolved() -> None:
    fields = front("a: true\nb: False\nc: null\nd: ~\ne:\nf: -7\ng: 0.5").fields
    assert fields == {"a": True, "b": False, "c": None, "d": None, "e": None, "f": -7, "g": 0.5}


def test_keys_are_the_same_in_snake_kebab_and_camel_case() -> None:
    assert list(front("allowed-tools: a\nmaxTurns: 2\none_off: 3").fields) == ["allowed_tools", "max_turns", "one_off"]


def test_inner_keys_have_their_lines_under_their_path() -> None:
    assert front("budget:\n  turnUsd: 1\n  day-usd: 2").lines["budget.day_usd"] == 4


def test_json_with_trailing_commas_is_read() -> None:
    fields = front('metadata: {"openclaw":{"bins":["a","b",],},}').fields
    assert fields == {"metadata": {"openclaw": {"bins": ["a", "b"]}}}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: &x [1]\nc: *x", 3, "anchors"),
        ("a: !!python/object:os.system x", 2, "tags"),
        ("a: 1\nb: 2\na: 3", 4, "twice"),
        ("allowed-tools: x\nallowedTools: y", 3, "twice"),
        ("a: 1\nb: 'open", 3, "quote"),
        ("tools: [bash, grep\nname: x", 2, "expected"),
        ("a: b\n\tc: d", 3, "tab"),
        ("- a\n- b", 2, "key: value"),
        ("just words", 2, "key: value"),
        ("a: 1\n...\nb: 2", 4, "document start"),
        ("a: 1\nb: \x07", 3, "character"),
        ("a: 1\n? [x]\n: y", 3, "one word"),
        ("a: " + "[" * 100, 2, "deep"),
        ("a: " + "{b: " * 100, 2, "deep"),
        ("- " * 20_000, 2, "key: value"),
        ("a:\n" + "\n".join(" " * n + "- " for n in range(1, 300)), 18, "deep"),
    ],
)
def test_what_cannot_be_meant_is_an_error_on_its_line(text: str, line: int, words: str) -> None:
    error = refused(f"---\n{text}\n---\n")
    assert (error.line, words in error.reason) == (line, True), str(error)


def test_the_laughs_of_a_billion_are_not_heard() -> None:
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 9))
    assert refused(f"---\nl0: &l0 ha\n{levels}\n---\n").line == 2


@pytest.mark.parametrize(
    "front",
    ["k: *" + " " * 60_000 + "x", "k: *a" + " x" * 30_000, "k: [" + "a," * 30_000, "\n".join(["k: *x: y"] * 6_000)],
    ids=["spaces", "words", "list", "lines"],
)
def test_an_unkind_text_of_full_size_costs_little(front: str) -> None:
    began = time.thread_time()
    outcome(partial(parse, f"---\n{front}\n---\n", path=PATH))
    assert time.thread_time() - began < 5  # seconds; a search that goes back and forth takes thirty


def test_a_message_never_repeats_a_whole_file() -> None:
    assert len(refused("---\n" + "k" * 60_000 + ": 1\n" + "k" * 60_000 + ": 2\n---\n").reason) <= 400


def test_frontmatter_and_body_have_a_size() -> None:
    assert "64 KB" in refused("---\nk: " + "x" * MAX_FRONTMATTER + "\n---\n").reason
    error = refused("---\nk: v\n---\n" + "é" * (MAX_BODY // 2 + 1))
    assert ("256 KB" in error.reason, error.line) == (True, 3)
    assert len(parse("x" * MAX_BODY, path=PATH).body) == MAX_BODY


def unreadable(path: Path) -> DefinitionError:
    with pytest.raises(DefinitionError) as caught:
        read(path)
    assert caught.value.path == path
    return caught.value


@pytest.mark.parametrize(
    ("raw", "line", "words"),
    [
        (b"", 0, "empty"),
        (b"\xef\xbb\xbf \r\n", 0, "empty"),
        (b"---\nname: \xff\n---\n", 2, "0xff"),
        (b"---\nname: x\n---\n\xc3\x28", 4, "UTF-8"),
        ("---\nname: x\n---\n".encode("utf-16"), 1, "UTF-16"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", 3, "NUL"),
        (b"\xed\xa0\x80", 1, "UTF-8"),
    ],
)
def test_a_file_that_is_no_text_says_so(tmp_path: Path, raw: bytes, line: int, words: str) -> None:
    path = tmp_path / "AGENT.md"
    path.write_bytes(raw)
    error = unreadable(path)
    assert (error.line, words in error.reason) == (line, True), str(error)


def test_a_gigabyte_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "AGENT.md"
    path.touch()
    os.truncate(path, 1 << 30)
    assert "1,073,741,824 bytes" in unreadable(path).reason


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    (folder := tmp_path / "folder").mkdir()
    os.mkfifo(fifo := tmp_path / "fifo")
    (loop := tmp_path / "loop").symlink_to(loop)
    (dangling := tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    assert "a folder" in unreadable(folder).reason
    assert "a named pipe" in unreadable(fifo).reason
    assert "symbolic links" in unreadable(loop).reason
    assert "No such file" in unreadable(dangling).reason
    assert "a device" in unreadable(Path("/dev/zero")).reason
    unreadable(tmp_path / "nul\0name")
    unreadable(tmp_path / ("long" * 100))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.path.relpath(tmp_path / "socket"))
        unreadable(tmp_path / "socket")


def test_a_link_to_a_regular_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(FILES / "bom.md")
    assert read(tmp_path / "link").fields == {"name": "Marked"}


def outcome(attempt: Callable[[], Document]) -> Document | DefinitionError:
    try:
        return attempt()
    except DefinitionError as error:
        return error


@given(st.text() | st.text(alphabet="---\n\n:  '\"[]{}*&!|>%@`,#ab1\t\r\u2028\ud800\x00"))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for candidate in (text, f"---\n{text}\n---\nbody"):
        found = outcome(partial(parse, candidate, path=PATH))
        if isinstance(found, Document):
            json.dumps(dict(found.fields), ensure_ascii=False).encode()
            found.body.encode()
        else:
            assert 1 <= found.line <= candidate.count("\n") + candidate.count("\r") + 1


@given(raw=st.binary() | st.binary().map(lambda raw: b"---\n" + raw + b"\n---\n"))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.md"
    path.write_bytes(raw)
    found = outcome(partial(read, path))
    assert isinstance(found, Document) or found.path == path


KEYS = st.from_regex(r"[a-z][a-z0-9]{0,8}(_[a-z0-9]{1,5})?", fullmatch=True)
LINES = st.text(st.characters(min_codepoint=32, codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=40)
SCALARS = LINES | st.integers(-(10**17), 10**17) | st.booleans() | st.none()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))


@given(st.dictionaries(KEYS, VALUES, max_size=6), LINES)
def test_an_ordinary_document_comes_back_as_written(fields: dict[str, object], body: str) -> None:
    written = "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in fields.items())
    document = parse(f"---\n{written}---\n{body}", path=PATH)
    assert document.fields == fields
    assert document.body == body
    assert {key: document.lines[key] for key in fields} == {key: n for n, key in enumerate(fields, start=2)}


@given(st.dictionaries(KEYS, st.from_regex(r"[A-Za-z][a-z]*: [a-z]+ [*@%`]?[a-z]+", fullmatch=True), max_size=12))
def test_unquoted_colons_do_not_hurt_their_neighbours(fields: dict[str, str]) -> None:
    written = "\n".join(f"{key}: {value}" for key, value in fields.items())
    assert front(written).fields == fields
