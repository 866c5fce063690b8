"""A model whose price is not known: said at the start, found by doctor, shown in usage, and refused where it sends bills."""

import json
from pathlib import Path

import pytest

from picklebot.settings.values import is_nearby
from tests.cli.running import run

AFAR = "model: {provider: anthropic, name: claude-next, base_url: 'https://models.example.com'}\n"
KEY = {"ANTHROPIC_API_KEY": "sk-test"}


def settle(workspace: Path, *lines: str) -> None:
    (workspace / "config.yaml").write_text("default_agent: echo\n" + "".join(lines))


def findings(workspace: Path, level: str) -> list[str]:
    document = json.loads(run(workspace, "doctor", "--json", **KEY).stdout)
    return [found["message"] for found in document["findings"] if found["level"] == level]


def test_a_model_without_a_price_is_not_asked_and_the_user_reads_how_to_mend_that(workspace: Path) -> None:
    settle(workspace, AFAR)
    done = run(workspace, "ask", "hi", **KEY)
    assert done.returncode == 6
    assert "model.prices" in done.stderr
    assert "The price of 'claude-next' is not known" in done.stderr
    assert any("claude-next" in found for found in findings(workspace, "error"))


def test_with_consent_it_is_only_a_warning(workspace: Path) -> None:
    settle(workspace, AFAR, "limits: {unpriced: allow}\n")
    assert any("only steps and seconds" in found for found in findings(workspace, "warning"))


def test_a_price_of_ones_own_settles_it(workspace: Path) -> None:
    settle(workspace, AFAR.replace("}", ", prices: {claude-next: {input: 1, output: 2}}}"))
    assert not any("claude-next' is not known" in found for found in findings(workspace, "error"))


def test_a_price_of_the_cache_above_that_of_input_is_refused(workspace: Path) -> None:
    settle(workspace, AFAR.replace("}", ", prices: {x: {input: 1, output: 2, cache_read: 3}}}"))
    done = run(workspace, "config", "check")
    assert done.returncode == 78
    assert "model.prices.x.cache_read" in done.stderr + done.stdout


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "192.168.1.9", "10.0.0.2", "ollama", "mac.local"])
def test_a_server_of_the_own_network_sends_no_bills(host: str) -> None:
    assert is_nearby(host)


@pytest.mark.parametrize("host", ["api.anthropic.com", "8.8.8.8", "localhost.example.com", "[2606:4700::1]"])
def test_a_server_of_others_may(host: str) -> None:
    assert not is_nearby(host)


def test_ask_ends_with_6_where_a_days_budget_refuses_and_where_it_waits_behind_that(workspace: Path) -> None:
    # An answer may have 8192 tokens, at a tenth of a cent each; what the first one has is no longer there for the next.
    settle(
        workspace,
        "model: {provider: offline, prices: {offline: {input: 0, output: 1000}}}\n",
        "limits: {turn_usd: 9, day_usd: 8.193}\n",
    )
    assert run(workspace, "ask", "what is 12*7").returncode == 0
    refused = run(workspace, "ask", "what is 6*7")
    assert refused.returncode == 6
    assert "today's budget of $8.19 is used up" in refused.stdout + refused.stderr
    assert run(workspace, "ask", "what is 5*7").returncode == 6
    lifted = run(workspace, "ask", "/approve")
    assert "1 turn goes on now" in lifted.stdout
