"""Input checked against a raw schema."""

from collections.abc import Mapping
from typing import Any

import pytest

from picklebot.errors import ToolError
from picklebot.tools.schema import validate

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "count": {"type": "integer"},
        "kind": {"enum": ["a", 1, None]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "place": {"type": "object", "properties": {"x": {"type": ["number", "null"]}}, "required": ["x"]},
        "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "odd": {"type": "unheard-of", "format": "uri", "$ref": "#/nowhere"},
    },
    "required": ["name"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "given",
    [
        {"name": "x"},
        {"name": "x", "count": 3, "kind": None, "tags": ["a"], "place": {"x": None, "more": 1}, "either": 4},
        {"name": "x", "count": 3.0, "tags": [], "odd": object()},
    ],
)
def test_what_fits_passes(given: Mapping[str, Any]) -> None:
    validate(SCHEMA, given)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": 1}, "'name' must be string"),
        ({"count": True}, "'count' must be integer"),
        ({"count": 1.5}, "'count' must be integer"),
        ({"kind": True}, "'kind' must be one of \"a\", 1, null"),
        ({"tags": ["a", 2]}, r"'tags\[1\]' must be string"),
        ({"tags": "a"}, "'tags' must be array"),
        ({"place": {}}, "'place.x' is missing"),
        ({"place": {"x": "1"}}, "'place.x' must be number or null"),
        ({"either": []}, "'either' fits none of its forms"),
        ({"nmae": 1}, "there is no 'nmae'; there are: name, count"),
    ],
)
def test_what_does_not_fit_is_told_in_words(change: Mapping[str, Any], words: str) -> None:
    with pytest.raises(ToolError, match=words):
        validate(SCHEMA, {"name": "x", **change})


def test_all_that_is_wrong_is_told_up_to_a_point() -> None:
    with pytest.raises(ToolError, match=r"'name' is missing; there is no 'a'.*; and 3 more"):
        validate(SCHEMA, dict.fromkeys("abcdefg", 1))


def test_a_schema_without_rules_lets_everything_pass_and_depth_is_bounded() -> None:
    validate({}, {"x": [1, {"y": None}]})
    deep: dict[str, Any] = {}
    schema: dict[str, Any] = {"type": "object"}
    schema["properties"] = {"x": schema}
    for _ in range(100):
        deep = {"x": deep}
    with pytest.raises(ToolError, match="nested too deeply"):
        validate(schema, deep)
