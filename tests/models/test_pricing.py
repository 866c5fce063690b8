"""What a call costs."""

import pytest

from picklebot.models.base import Usage
from picklebot.models.pricing import PRICES, cost, own_price, resolve_alias

MILLION = Usage(input_tokens=1_000_000, output_tokens=1_000_000)


@pytest.mark.parametrize(
    ("model", "dollars"),
    [
        ("claude-sonnet-5-5", 12.0),
        ("claude-opus-5-5", 24.0),
        ("claude-opus-5", 30.0),
        ("claude-fable-5-1", 60.0),
        ("claude-haiku-4-5-20251001", 6.0),
        ("claude-opus-4-5@20251101", 30.0),
        ("anthropic/claude-sonnet-4.5", 18.0),
        ("claude-opus-5-5[1m]", 24.0),
    ],
)
def test_a_known_model_has_its_list_price(model: str, dollars: float) -> None:
    assert cost(model, MILLION) == pytest.approx(dollars)


@pytest.mark.parametrize("model", ["llama3.2", "claude-fable-5-2", "claude-sonnet", "claude-sonnet-5-5-turbo", ""])
def test_an_unknown_model_has_no_price_and_not_its_neighbours(model: str) -> None:
    assert cost(model, MILLION) is None


def test_writing_the_cache_costs_more_and_reading_it_less() -> None:
    assert cost("claude-opus-5", Usage(cache_write_tokens=1_000_000)) == pytest.approx(6.25)
    assert cost("claude-opus-5", Usage(cache_read_tokens=1_000_000)) == pytest.approx(0.5)
    assert cost("claude-sonnet-5-5", Usage(cache_read_tokens=1_000_000)) == pytest.approx(0.1)
    assert cost("claude-fable-5-1", Usage(cache_read_tokens=1_000_000)) == pytest.approx(0.25)


def test_a_long_prompt_to_haiku_costs_more_cached_or_not() -> None:
    assert cost("claude-haiku-5-5", Usage(input_tokens=100_000, output_tokens=1_000)) == pytest.approx(0.0105)
    assert cost("claude-haiku-5-5", Usage(input_tokens=1, cache_read_tokens=100_000, output_tokens=1_000)) == (
        pytest.approx(0.0075005)
    )


def test_nothing_costs_nothing() -> None:
    assert cost("claude-sonnet-5-5", Usage()) == 0


@pytest.mark.parametrize("alias", ["haiku", "Sonnet", "opus", "fable"])
def test_an_alias_names_a_model_with_a_price(alias: str) -> None:
    assert resolve_alias(alias) in PRICES


def test_any_other_name_is_left_alone() -> None:
    assert resolve_alias("qwen3:8b") == "qwen3:8b"


def test_prices_of_ones_own_come_first_under_any_spelling_of_the_name() -> None:
    own = dict([own_price("Qwen/Qwen3.5", input_usd=1.0, output_usd=2.0, cache_read_usd=0.5)])
    assert cost("qwen/qwen3-5", MILLION, own) == pytest.approx(3.0)
    assert cost("qwen/qwen3.5", Usage(cache_read_tokens=1_000_000), own) == pytest.approx(0.5)
    dear = dict([own_price("sonnet", input_usd=9.0, output_usd=9.0, cache_read_usd=None)])
    assert cost("claude-sonnet-5-5", MILLION, dear) == pytest.approx(18.0)
    assert cost("claude-sonnet-5-5", MILLION) == pytest.approx(12.0)


def test_the_built_in_model_is_free_and_not_unknown() -> None:
    assert cost("offline", MILLION) == 0.0
