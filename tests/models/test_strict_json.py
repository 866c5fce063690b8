"""JSON that may be acted upon is read strictly."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picklebot.models import strict_json

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def read(text: str, *, max_bytes: int = 1_000_000, max_depth: int = 64) -> object:
    return strict_json.loads(text, max_bytes=max_bytes, max_depth=max_depth)


@given(JSON)
def test_what_the_standard_library_wrote_is_read_back(value: Any) -> None:
    assert read(json.dumps(value)) == value
    assert read(json.dumps(value, ensure_ascii=False, indent=1)) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"allow": false, "allow": true}', "'allow' stands in it twice"),
        ('{"a": [{"b": 1, "b": 2}]}', "'b' stands in it twice"),
        ("NaN", "NaN is not JSON"),
        ('{"x": -Infinity}', "-Infinity is not JSON"),
        ("1e999", "too large to keep"),
        ("[" + "9" * 5_000 + "]", "5,000 digits"),
        ("0." + "1" * 5_000, "too large to keep"),
        ("[" * 100_000, "nested more than 64 deep"),
        ('{"a":' * 65 + "1" + "}" * 65, "nested more than 64 deep"),
        ('{"cmd": "deploy prod", "dry_run": tr', "not valid JSON"),
        ("", "not valid JSON"),
        ("{} {}", "not valid JSON"),
        ("{'a': 1}", "not valid JSON"),
        ('"' + "x" * 1_000_000 + '"', "larger than 1,000,000 bytes"),
        ('"' + "ä" * 600_000 + '"', "larger than 1,000,000 bytes"),
    ],
)
def test_what_cannot_be_trusted_is_refused_in_plain_words(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read(text)


@pytest.mark.parametrize("depth", [1, 2, 63, 64])
def test_the_deepest_allowed_nesting_is_read(depth: int) -> None:
    assert json.dumps(read("[" * depth + "]" * depth)) == "[" * depth + "]" * depth


def test_brackets_inside_text_are_not_nesting() -> None:
    text = json.dumps({"code": '[[[{{{"' * 50, "more": ["\\", "[" * 100]})
    assert read(text, max_depth=2) == json.loads(text)
    with pytest.raises(ValueError, match="nested"):
        read(text, max_depth=1)


@given(st.text(alphabet='[]{}",:\\ 1tn', max_size=60))
def test_any_text_is_read_or_refused_and_nothing_else(text: str) -> None:
    try:
        value = read(text, max_depth=5)
    except ValueError:
        return
    assert value == json.loads(text)
