"""The parsers below the configuration, on whatever text there is."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from picklebot.config.document import parse_document, parse_value, parse_word
from picklebot.config.secrets import read_secrets
from picklebot.errors import ConfigError

yamlish = st.text(alphabet="ab:-[]{}&*!#|>'\"?, \t\n\r\x00\ufeff0123.", max_size=60) | st.text(max_size=60)
words = st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=8)
plain = st.none() | st.booleans() | st.integers() | words
trees = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(words, inner), max_leaves=10)


def refusal(read: Callable[[], object]) -> str:
    """Return the words in which `read` refuses, or nothing."""
    try:
        read()
    except ConfigError as exc:
        return str(exc)
    return ""


@given(yamlish)
def test_any_text_is_a_document_or_an_error_in_words(text: str) -> None:
    if said := refusal(lambda: parse_document(text, name="config.yaml")):
        assert said.startswith("config.yaml:")
        return
    document = parse_document(text, name="config.yaml")
    assert set(document.values) <= {path[0] for path in document.lines if path}
    assert all(1 <= line <= len(text) + 1 for line in document.lines.values())


@given(trees)
def test_what_json_writes_is_read_back(value: object) -> None:
    text = json.dumps({"key": value}, ensure_ascii=False)
    if said := refusal(lambda: parse_document(text, name="config.yaml")):
        assert "nested more than" in said
    else:
        assert parse_document(text, name="config.yaml").values == {"key": value}


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none())
def test_a_word_in_its_usual_spelling_is_the_value(value: object) -> None:
    read = parse_word(json.dumps(value))
    assert read == value
    assert type(read) is type(value)


@given(st.text(max_size=20))
def test_a_word_in_any_other_spelling_is_itself(text: str) -> None:
    read = parse_word(text)
    assert read == text or text in {"", "~"} or json.dumps(read) == text


@given(yamlish)
def test_any_variable_is_a_value_or_an_error_that_names_it(text: str) -> None:
    said = refusal(lambda: parse_value(text, name="PICKLEBOT_X"))
    assert not said or said.startswith("PICKLEBOT_X:")


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80) | st.text("AB=\"'\\# \nexport", max_size=80))
def test_any_secrets_file_is_read_line_by_line(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ".env"
        path.write_bytes(text.encode())
        path.chmod(0o600)
        secrets = read_secrets(path)
    assert len(secrets.values) + len(secrets.warnings) <= len(text.splitlines())
