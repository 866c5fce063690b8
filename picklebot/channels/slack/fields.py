"""What Slack says, as the mappings that it is. Knows no meaning."""

from collections.abc import Mapping
from typing import Any, TypeAlias, cast

Fields: TypeAlias = Mapping[str, Any]


def as_fields(given: object) -> Fields:
    """Return a mapping as it is, and an empty one for everything else."""
    return cast("Fields", given) if isinstance(given, Mapping) else {}


def within(fields: Fields, *names: str) -> Fields:
    """Return the mapping inside another one; an empty one where there is none."""
    for name in names:
        fields = as_fields(fields.get(name))
    return fields


def many(fields: Fields, name: str) -> list[Fields]:
    """Return the mappings of a list inside a mapping."""
    given = fields.get(name)
    return [as_fields(each) for each in cast("list[object]", given)] if isinstance(given, list) else []
