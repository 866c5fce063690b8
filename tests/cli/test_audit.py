"""`picklebot audit`: each rule is planted, found, and gone once it is mended."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from picklebot.cli.audit.command import examine
from picklebot.core.source import Source
from picklebot.definitions.seals import Seals
from picklebot.mcp.pins import Offer, Pins
from picklebot.store.sqlite import open_store
from picklebot.workspace import Workspace
from tests.cli.running import TOP, database, run

BASE = "default_agent: echo\nmodel: {provider: offline}\n"
OFF = "gateway: {enabled: false}\n"


def rules(workspace: Path) -> dict[str, str]:
    """Return what the audit finds: rule and severity; that the suite may run as root is no finding here."""
    found: dict[str, str] = {risk.rule: risk.severity for risk in examine(Workspace(workspace))}
    found.pop("runs-as-root", None)
    return found


def settings(text: str, *, gateway: str = OFF) -> Callable[[Path], None]:
    def plant(workspace: Path) -> None:
        (workspace / "config.yaml").write_text(BASE + gateway + text + "\n")

    return plant


def agent(head: str) -> Callable[[Path], None]:
    def plant(workspace: Path) -> None:
        (workspace / "agents" / "echo" / "AGENT.md").write_text(f"---\nname: Echo\n{head}\n---\nHi.\n")

    return plant


def mode(path: str, wanted: int) -> Callable[[Path], None]:
    def plant(workspace: Path) -> None:
        file = workspace / path
        file.touch()
        file.chmod(wanted)

    return plant


def text(path: str, words: str) -> Callable[[Path], None]:
    def plant(workspace: Path) -> None:
        file = workspace / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(words)

    return plant


def both(*plants: Callable[[Path], None]) -> Callable[[Path], None]:
    def plant(workspace: Path) -> None:
        for each in plants:
            each(workspace)

    return plant


def secret(value: str) -> Callable[[Path], None]:
    def plant(workspace: Path) -> None:
        (workspace / ".env").write_text(f"MY_SECRET={value}\n")
        (workspace / ".env").chmod(0o600)

    return plant


LONG = "k" * 43
HOOK = "hooks: {ci: {secret_env: MY_SECRET%s}}"
ALLOW = "approvals: {bash: allow}\n"
PLANTS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "file-modes": ("critical", mode(".env", 0o644)),
    "steering-modes": ("critical", mode("config.yaml", 0o666)),
    "config": ("critical", settings("modle: {}")),
    "secret-in-file": ("critical", text("memories/topics/keys.md", "the key is sk-ant-api03-abcdefghijklmnop1234\n")),
    "database-in-reach": ("critical", settings('store: {url: "sqlite:///data.db"}')),
    "gateway-open": (
        "warn",
        both(secret(LONG), settings("", gateway="gateway: {host: 0.0.0.0, token_env: MY_SECRET}\n")),
    ),
    "gateway-token": ("critical", both(secret("short"), settings("", gateway="gateway: {token_env: MY_SECRET}\n"))),
    "guest-tools": (
        "critical",
        both(
            secret(LONG), settings("channels: {telegram: {enabled: true, token_env: MY_SECRET, guest_tools: [bash]}}")
        ),
    ),
    "channel-nobody": (
        "info",
        both(secret(LONG), settings("channels: {telegram: {enabled: true, token_env: MY_SECRET}}")),
    ),
    "channel-open": ("warn", settings("channels: {file: {enabled: true}}")),
    "hook-window": ("warn", both(secret(LONG), settings("", gateway=f"gateway: {{{HOOK % ', window: 7200'}}}\n"))),
    "hook-secret": ("critical", both(secret("short"), settings("", gateway=f"gateway: {{{HOOK % ''}}}\n"))),
    "sandbox-off": ("critical", settings("sandbox: {mode: 'off'}\napprovals: {bash: allow}")),
    "sandbox-allow-off": ("warn", settings("sandbox: {allow_off: true}")),
    "sandbox-network": ("warn", settings("sandbox: {network: true}")),
    "agent-unsandboxed": (
        "critical",
        both(settings("sandbox: {allow_off: true}\napprovals: {bash: allow}"), agent("sandbox: off")),
    ),
    "lethal-trifecta": ("critical", settings("sandbox: {network: true}\napprovals: {bash: allow}")),
    "local-tools": ("warn", settings("tools: {local: true}")),
    "mcp-unsandboxed": ("warn", settings("mcp_servers: {a: {command: [cat], sandbox: false}}")),
    "mcp-unpinned": ("warn", settings("mcp_servers: {a: {command: [npx, -y, some-server]}}")),
    "mcp-unencrypted": (
        "critical",
        both(secret(LONG), settings('mcp_servers: {a: {url: "http://mcp.example.com/", token_env: MY_SECRET}}')),
    ),
    "mcp-unseen": ("info", settings("mcp_servers: {a: {command: [cat]}}")),
    "skills-unpinned": ("warn", settings("tools: {pin_skills: false}")),
    "unpriced-models": ("warn", settings("limits: {unpriced: allow}")),
    "day-budget": ("warn", settings("limits: {day_usd: 500}")),
    "turn-budget": ("info", settings("limits: {turn_usd: 20}")),
}


def test_a_new_workspace_leaves_nothing_open(workspace: Path) -> None:
    assert rules(workspace) == {}


@pytest.mark.parametrize("rule", PLANTS)
def test_what_is_open_is_found(workspace: Path, rule: str) -> None:
    severity, plant = PLANTS[rule]
    plant(workspace)
    assert rules(workspace).get(rule) == severity


def test_every_rule_is_in_the_page() -> None:
    page = (TOP / "docs" / "security.md").read_text()
    assert [rule for rule in PLANTS if f"`{rule}`" not in page] == []


def test_what_is_closed_again_is_no_finding(workspace: Path) -> None:
    settings(
        "sandbox: {mode: 'off', network: true, allow_off: true}\napprovals: {bash: deny}\n"
        "mcp_servers: {a: {command: [npx, -y, some-server@1.2.3]}, b: {url: 'https://mcp.example.com'}, "
        "c: {enabled: false, command: [uvx, x], sandbox: false}}"
    )(workspace)
    found = rules(workspace)
    assert found.keys() == {"sandbox-off", "sandbox-network", "mcp-unsandboxed", "mcp-unseen"}
    assert found["sandbox-off"] == "warn", "its commands are denied"


async def test_what_only_the_state_knows_is_found_too(workspace: Path) -> None:
    settings("mcp_servers: {a: {command: [cat]}}")(workspace)
    async with open_store(database(workspace)) as store:
        now = datetime(2026, 11, 27, tzinfo=UTC)
        knock = await store.pairings.knock("telegram", "7", name="Bob", at=now)
        assert knock is not None
        await store.pairings.approve(knock.code, "owner", by=Source("cli", ("ann",)), at=now)
    pins = Pins(workspace / ".picklebot" / "mcp.json")
    pins.let_in("a", [Offer(name="look", description="Look.")], read=True)
    pins.note("a", "changed: look")
    text("skills/tea/SKILL.md", "---\nname: tea\ndescription: Tea.\n---\nBoil.\n")(workspace)
    Seals(workspace / ".picklebot" / "skills.json").let_in("tea", {"SKILL.md": "another"})
    risks = await asyncio.to_thread(lambda: {risk.rule: risk for risk in examine(Workspace(workspace))})
    assert "telegram 7 was let in as an owner" in risks["paired-owner"].message
    assert risks["skill-changed"].message == "the skill tea is not used: it is not what was let in (changed: SKILL.md)"
    assert risks["mcp-changed"].fix == "picklebot tools trust a shows it, and lets it in"


def test_a_program_reads_it_and_the_exit_code_says_whether_something_critical_is_open(workspace: Path) -> None:
    (workspace / "config.yaml").write_text(BASE + OFF)
    done = run(workspace, "audit", "--json")
    assert (done.returncode, json.loads(done.stdout)["ok"]) == (0, True), done.stdout
    (workspace / ".env").write_text("KEY=k-123456789\n")
    (workspace / ".env").chmod(0o644)
    done = run(workspace, "audit")
    assert done.returncode == 1
    assert done.stdout.startswith("critical file-modes: others on this machine may reach ")
    assert "(picklebot doctor --fix, or chmod 600 " in done.stdout
    assert "1 critical finding" in done.stdout
