"""What commands ask a daemon's gateway beside its API, and what a daemon without one does not load."""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from picklebot.gateway.port import bind
from picklebot.testing import ScriptedModel
from tests.cli.inside import command, document
from tests.cli.running import environment
from tests.gateway.conftest import Serve


async def test_status_and_doctor_ask_the_gateway_of_the_daemon_that_runs(serve: Serve, workspace: Path) -> None:
    async with serve(ScriptedModel()) as site:
        shown = (await command(workspace, "status")).stdout
        [line] = [line for line in shown.splitlines() if line.startswith("In a browser, once and within ten minutes: ")]
        link = line.rpartition(" ")[2]
        assert link.startswith(f"{site.url}/login/")
        assert site.token not in shown
        assert (await site.stranger.get(link)).status_code == 303
        assert (await site.stranger.get(link)).status_code == 401  # once
        findings = (await document(workspace, "doctor"))["findings"]
        assert ("ok", f"it answers at {site.url}") in found(findings)
        token = workspace / ".picklebot" / "token"
        token.write_text("n" * 43 + "\n")  # whoever holds it is who may ask for a link
        assert "/login/" in (await command(workspace, "status")).stdout
        token.unlink()
        assert "In a browser" not in (await command(workspace, "status")).stdout


@pytest.mark.parametrize(
    ("settings", "level", "words"),
    [
        ({"enabled": False}, "info", "it is off, so no program and no browser can reach the daemon"),
        ({}, "ok", "port 0 of 127.0.0.1 is free"),
        ({"port": "{taken}"}, "error", "gateway.port: {taken} of 127.0.0.1 cannot be had"),
        ({"token_env": "GATE"}, "error", "24 are needed"),
    ],
)
async def test_doctor_says_how_the_gateway_would_do(
    gateway: Callable[..., None], workspace: Path, settings: dict[str, object], level: str, words: str
) -> None:
    with closing(bind("127.0.0.1", 0)) as bound:
        bound.listen()
        taken = bound.getsockname()[1]
        gateway(**{name: taken if value == "{taken}" else value for name, value in settings.items()})
        findings = json.loads((await command(workspace, "doctor", "--json")).stdout)["findings"]
    assert any(each[0] == level and words.format(taken=taken) in each[1] for each in found(findings)), findings


async def test_a_token_file_that_holds_none_is_named(gateway: Callable[..., None], workspace: Path) -> None:
    gateway()
    (workspace / ".picklebot").mkdir(mode=0o700)
    (workspace / ".picklebot" / "token").write_text("\n")
    findings = json.loads((await command(workspace, "doctor", "--json")).stdout)["findings"]
    assert any(level == "error" and "holds no token" in message for level, message in found(findings))


def found(findings: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(each["level"], each["message"]) for each in findings if each["check"] == "gateway"]


WITHOUT = """
import asyncio, sys
from pathlib import Path
from picklebot.app import open_app
from picklebot.config import load
from picklebot.workspace import Workspace

async def main():
    stop = asyncio.Event()
    async with open_app(load(Workspace(Path(sys.argv[1])), {"PICKLEBOT_GATEWAY__ENABLED": "false"})) as app:
        await app.run(stop, ready=stop.set)

asyncio.run(main())
print(sorted({name.partition(".")[0] for name in sys.modules} & {"starlette", "uvicorn", "h11", "websockets"}))
"""


def test_a_daemon_without_a_gateway_loads_nothing_of_the_web(workspace: Path) -> None:
    argv = [sys.executable, "-c", WITHOUT, str(workspace)]
    done = subprocess.run(argv, env=environment(), capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
