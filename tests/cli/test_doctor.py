"""`picklebot doctor`: what it finds, what it mends, and that it leaves the rest alone."""

import asyncio
import json
import os
import sqlite3
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from picklebot.clock import SystemClock
from picklebot.core.source import Source
from picklebot.lock import Holder, hold
from picklebot.store.base import Arrival
from picklebot.store.sqlite import SqliteStore
from tests.cli.running import conversation, database, fill, lines, run


def examine(workspace: Path, *options: str, code: int = 0, **env: str) -> list[dict[str, Any]]:
    done = run(workspace, "doctor", "--json", *options, **env)
    assert done.returncode == code, done.stdout
    document = json.loads(done.stdout)
    assert document["ok"] is (code == 0)
    found: list[dict[str, Any]] = document["findings"]
    return found


def of(found: list[dict[str, Any]], level: str) -> list[str]:
    return [f"{finding['check']}: {finding['message']}" for finding in found if finding["level"] == level]


def tree(top: Path) -> dict[str, tuple[int, int]]:
    return {str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns) for path in sorted(top.rglob("*"))}


def test_a_good_workspace_has_no_errors_and_is_not_changed(workspace: Path) -> None:
    before = tree(workspace)
    found = examine(workspace)
    assert of(found, "error") == []
    assert of(found, "warning") == []
    assert {"workspace", "config", "definitions", "agents", "model", "tools", "database", "disk", "daemon"} <= {
        finding["check"] for finding in found
    }
    assert any("tools run under bubblewrap" in message for message in of(found, "ok"))
    assert tree(workspace) == before


def test_a_broken_config_is_one_error_a_line_and_the_rest_is_still_looked_at(workspace: Path) -> None:
    (workspace / "config.yaml").write_text("default_agent: echo\nmodle: {}\nlimits: {turn_usd: -1}\n")
    (workspace / "agents" / "echo" / "AGENT.md").write_text("---\nqueue: sideways\n---\nHi.\n")
    errors = of(examine(workspace, code=1), "error")
    assert len(errors) == 3
    assert "config.yaml:2: modle: unknown key 'modle'; did you mean 'model'?" in errors[0]
    assert "config.yaml:3: limits.turn_usd" in errors[1]
    assert errors[2].startswith("definitions: agents/echo/AGENT.md:2: queue: must be")


def test_names_that_lead_nowhere_are_found(workspace: Path) -> None:
    (workspace / "config.yaml").write_text(
        "default_agent: eco\nmodel: {provider: offline}\n"
        'routing: {bindings: [{source: "cli:.*", agent: nobody}]}\n'
        "heartbeat: {agent: pulse}\n"
    )
    (workspace / "agents" / "echo" / "AGENT.md").write_text(
        "---\ntools: [read_fil, mcp__maps__find]\ndisallowed_tools: [bashh]\ndispatch: [ghost]\n---\nHi.\n"
    )
    found = examine(workspace, code=1)
    errors, warnings = of(found, "error"), of(found, "warning")
    assert any("default_agent" in message and "did you mean 'echo'?" in message for message in errors)
    for name in ("'nobody'", "'pulse'", "'ghost'"):
        assert any(name in message for message in errors)
    assert len(errors) == 4
    assert any("'read_fil'" in message and "did you mean 'read_file'?" in message for message in warnings)
    assert any("'bashh'" in message for message in warnings)
    assert not any("mcp__" in message for message in warnings)


@pytest.mark.parametrize(
    ("model", "env", "level", "words"),
    [
        ("{provider: auto}", {}, "warning", "offline model answers"),
        ("{provider: auto}", {"ANTHROPIC_API_KEY": "sk-secret-key"}, "ok", "with the key in ANTHROPIC_API_KEY"),
        ("{provider: anthropic}", {}, "error", "no key"),
        ("{provider: anthropic, base_url: 'http://127.0.0.1:9', api_key_env: null}", {}, "ok", "127.0.0.1:9"),
        ("{provider: replay, name: gone.json}", {}, "error", "gone.json"),
    ],
)
def test_who_answers_is_said_without_the_key(
    workspace: Path, model: str, env: dict[str, str], level: str, words: str
) -> None:
    (workspace / "config.yaml").write_text(f"default_agent: echo\nmodel: {model}\n")
    found = examine(workspace, code=level == "error", **env)
    [message] = [finding["message"] for finding in found if finding["check"] == "model"]
    assert of(found, level)
    assert words in message
    assert "sk-secret-key" not in json.dumps(found)


def test_open_secrets_are_an_error_that_fix_mends(workspace: Path) -> None:
    secrets, state = workspace / ".env", workspace / ".picklebot"
    secrets.write_text("ANTHROPIC_API_KEY=x\n")
    secrets.chmod(0o644)
    state.mkdir()
    state.chmod(0o755)
    errors = of(examine(workspace, code=1), "error")
    assert len(errors) == 2
    assert "0644" in errors[0]
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o644
    assert of(examine(workspace, "--fix"), "error") == []
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


def test_a_damaged_database_is_an_error(workspace: Path) -> None:
    async def many(store: SqliteStore) -> None:
        for n in range(200):
            arrival = Arrival(
                source=Source("cli", ("ann",)), content="x" * 500, key=str(n), agent_id="echo", at=SystemClock().now()
            )
            await store.inbox.accept(arrival, limit=999)

    asyncio.run(fill(workspace, many))
    path = database(workspace)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    [error] = of(examine(workspace, code=1), "error")
    assert error.startswith("database: ")


def test_a_ledger_out_of_balance_is_an_error(workspace: Path) -> None:
    asyncio.run(fill(workspace, conversation))
    assert of(examine(workspace), "error") == []
    connection = sqlite3.connect(database(workspace))
    connection.executescript("PRAGMA foreign_keys = OFF; DELETE FROM inbox;")
    connection.close()
    [error] = of(examine(workspace, code=1), "error")
    assert error.startswith("ledger: 1 message accepted, which is not the sum of 0 done")


def test_replies_for_a_channel_that_is_off_and_events_from_the_future_are_warnings(workspace: Path) -> None:
    async def use(store: SqliteStore) -> None:
        await conversation(store)
        tomorrow = SystemClock().now() + timedelta(days=1)
        arrival = Arrival(source=Source("cli", ("ann",)), content="hi", key="k9", agent_id="echo", at=tomorrow)
        await store.inbox.accept(arrival, limit=9)

    asyncio.run(fill(workspace, use))
    warnings = of(examine(workspace), "warning")
    assert len(warnings) == 2
    assert "1 reply waits for the channel 'telegram', which is not enabled" in warnings[0]
    assert "the clock was set back" in warnings[1]


def test_who_runs_is_said(workspace: Path) -> None:
    state = database(workspace).parent
    with hold(state / "lock", state / "daemon.json", Holder(os.getpid(), "chat", "2030-01-01T00:00:00+00:00")):
        assert f"daemon: a picklebot chat runs as process {os.getpid()}, since 2030-01-01T00:00:00+00:00" in of(
            examine(workspace), "info"
        )


def test_a_workspace_that_is_not_there_is_an_error_with_the_command_that_makes_it(tmp_path: Path) -> None:
    found = examine(tmp_path / "nowhere", code=1)
    assert found[0]["fix"] == f"picklebot init {tmp_path / 'nowhere'}"
    assert not (tmp_path / "nowhere").exists()


def test_the_text_is_a_line_a_finding_with_marks_that_the_terminal_can_show(workspace: Path) -> None:
    (workspace / "config.yaml").write_text("default_agent: nobody\nmodel: {provider: offline}\n")
    plain = run(workspace, "doctor", PYTHONIOENCODING="ascii")
    rich = run(workspace, "doctor", PYTHONIOENCODING="utf-8", PYTHONUTF8="1")
    assert (plain.returncode, rich.returncode) == (1, 1)
    assert [line[0] for line in lines(plain.stdout) if " agents: " in line] == ["x"]
    assert [line[0] for line in lines(rich.stdout) if " agents: " in line] == ["✗"]
    assert lines(rich.stdout)[-1] == "1 error."


def test_a_webhook_that_could_take_nothing_is_found(workspace: Path) -> None:
    config, hooks = (
        workspace / "config.yaml",
        "hooks: {a: {secret_env: A_SECRET}, b: {secret_env: B_SECRET, agent: bob}}",
    )
    config.write_text(config.read_text().replace("enabled: false", f"enabled: false, {hooks}"))
    said = of(examine(workspace, code=1, B_SECRET="b" * 16), "error")
    assert any("gateway.hooks.a.secret_env: A_SECRET is neither in the environment" in words for words in said)
    assert any("gateway.hooks.b.agent: no agent is called 'bob'" in words for words in said)
    assert not any("B_SECRET" in words for words in said)
