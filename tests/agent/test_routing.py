"""Bindings: exact before patterns, patterns before wildcards, then the order of the file."""

import pytest

from picklebot.agent.routing import Binding, RoutingTable
from picklebot.core.source import Source
from picklebot.errors import ConfigError

TABLE = RoutingTable(
    [
        Binding("telegram:.*", "wild"),
        Binding("telegram:[0-9]+:7", "pattern"),
        Binding("telegram:42:7", "exact"),
        Binding("telegram:[0-9]+:[0-9]+", "later pattern"),
    ],
    default="pickle",
)


@pytest.mark.parametrize(
    ("source", "agent"),
    [
        ("telegram:42:7", "exact"),
        ("telegram:43:7", "pattern"),
        ("telegram:43:8", "later pattern"),
        ("telegram:ann", "wild"),
        ("discord:42:7", "pickle"),
        ("xtelegram:42:7", "pickle"),
        ("telegram:42:77", "later pattern"),
    ],
)
def test_the_lowest_tier_wins_and_the_whole_source_must_match(source: str, agent: str) -> None:
    assert TABLE.resolve(Source.parse(source)) == agent


def test_a_broken_pattern_is_named() -> None:
    with pytest.raises(ConfigError, match=r"'telegram:\('"):
        RoutingTable([Binding("telegram:(", "x")], default="pickle")


def test_what_was_made_in_a_conversation_comes_first_in_its_tier() -> None:
    made = [
        Binding("telegram:[0-9]+:[0-9]", "made", made=True),
        Binding("telegram:a.c", "literal", literal=True, made=True),
    ]
    table = TABLE.with_made(made)
    answers = [table.resolve(Source.parse(text)) for text in ("telegram:42:7", "telegram:43:7", "telegram:a.c")]
    assert answers == ["exact", "made", "literal"]
    assert table.resolve(Source.parse("telegram:abc")) == "wild"
    assert TABLE.resolve(Source.parse("telegram:43:7")) == "pattern"
