"""The page before the real program, which is killed in the middle."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, expect

from tests.gateway.conftest import client
from tests.page.conftest import DESK, IN_ONE_LOOP, PATIENCE, say
from tests.page.test_interruptions import AWAY

pytestmark = IN_ONE_LOOP


async def picklebot(workspace: Path, *arguments: str) -> asyncio.subprocess.Process:
    command = [sys.executable, "-m", "picklebot", "-w", str(workspace), *arguments]
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=asyncio.subprocess.DEVNULL)


@asynccontextmanager
async def running(workspace: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The daemon, listening; killed at the end, if it still runs."""
    daemon = await picklebot(workspace, "server")
    try:
        async with asyncio.timeout(PATIENCE / 1000):
            while not url_of(workspace, daemon.pid):  # noqa: ASYNC110  # another program's file rings no bell
                await asyncio.sleep(0.05)
        yield daemon
    finally:
        if daemon.returncode is None:
            daemon.send_signal(signal.SIGKILL)
        await daemon.wait()


def url_of(workspace: Path, pid: int) -> str:
    """Return where the daemon with this pid listens; "" while it does not."""
    try:
        told = json.loads((workspace / ".picklebot" / "daemon.json").read_text())
    except (OSError, ValueError):
        return ""
    return str(told["url"] or "") if told["pid"] == pid else ""


async def link_in(workspace: Path, url: str) -> str:
    """Return a link for a browser."""
    token = (workspace / ".picklebot" / "token").read_text().strip()
    async with client(url, {"Authorization": f"Bearer {token}"}) as http:
        return str((await http.post("/api/login", json={})).json()["url"])


async def test_kill_9_loses_nothing_that_a_person_said_and_shows_nothing_twice(
    browser: Browser, workspace: Path
) -> None:
    config = workspace / "config.yaml"
    config.write_text(config.read_text().replace("enabled: false", "port: 0"))
    (workspace / "agents" / "broken").mkdir()
    (workspace / "agents" / "broken" / "AGENT.md").write_text("---\nname: x\nmax_concurrency: many\n---\n")
    context = await browser.new_context(**DESK)
    page = await context.new_page()
    page.set_default_timeout(PATIENCE)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    async with running(workspace) as daemon:
        await page.goto(await link_in(workspace, url_of(workspace, daemon.pid)))
        await say(page, "what is 12*7")
        await expect(page.locator(".reply")).to_contain_text("84")
        port = url_of(workspace, daemon.pid).rpartition(":")[2]
        await say(page, "what is 12*8")
        daemon.send_signal(signal.SIGKILL)
        await daemon.wait()
    await expect(page.locator("#state")).to_have_text("away")
    await say(page, "what is 12*9")
    config.write_text(config.read_text().replace("port: 0", f"port: {port}"))
    async with running(workspace) as daemon:
        await expect(page.locator(".reply")).to_contain_text(["84", "96", "108"])
        await expect(page.locator(".said")).to_have_text(["what is 12*7", "what is 12*8", "what is 12*9"])
        await expect(page.locator(".unaccepted")).to_have_count(0)
        await page.goto(f"http://127.0.0.1:{port}/#/health")
        await expect(page.locator(".verdict")).to_contain_text("1 thing to mend.")
        await expect(page.locator(".findings").first).to_contain_text("agents/broken/AGENT.md:3")
        daemon.terminate()
        assert await daemon.wait() == 0
    await context.close()
    assert [said for said in complaints if not said.startswith(AWAY)] == []
