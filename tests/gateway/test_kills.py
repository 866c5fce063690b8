"""A client that lives through five deaths of the daemon, as `docs/gateway.md` says a client should."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.crash.daemons import TOP, clean_environment

MESSAGES, KILLS, AT_ONCE = 1000, 5, 64


class Client:
    """Says each message until it is accepted, and keeps what it was shown."""

    def __init__(self, workspace: Path, port: int) -> None:
        self._workspace = workspace
        self._address = f"ws://127.0.0.1:{port}/ws?client=tireless"
        self.accepted: dict[str, dict[str, Any]] = {}
        self.replies: dict[str, list[dict[str, Any]]] = {}
        self.seq = 0
        self.shown: list[int] = []
        self.progress = asyncio.Condition()

    @property
    def done(self) -> bool:
        """Whether every message was accepted and answered."""
        return len(self.accepted) == MESSAGES and len(self.replies) >= MESSAGES

    async def live(self) -> None:
        """Connect again and again until everything is answered."""
        while not self.done:
            with suppress(OSError, ConnectionClosed, InvalidHandshake):
                token = (self._workspace / ".picklebot" / "token").read_text().strip()
                headers = {"Authorization": f"Bearer {token}"}
                async with connect(self._address, additional_headers=headers, proxy=None) as ws:
                    await ws.send(json.dumps({"type": "subscribe", "after": self.seq}))
                    async with asyncio.TaskGroup() as both:
                        speaking = both.create_task(self._speak(ws))
                        with suppress(ConnectionClosed):
                            await self._listen(ws)
                        speaking.cancel()
            await asyncio.sleep(0.02)  # between two tries of a real client, which nothing wakes

    async def _speak(self, ws: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            for n in range(MESSAGES):
                if f"m{n}" in self.accepted:
                    continue
                async with self.progress:
                    await self.progress.wait_for(lambda n=n: n - len(self.accepted) < AT_ONCE)  # type: ignore[misc]
                await ws.send(json.dumps({"type": "message", "id": f"m{n}", "content": f"say {n}"}))

    async def _listen(self, ws: ClientConnection) -> None:
        while not self.done:
            frame = json.loads(await ws.recv())
            if frame["type"] == "accepted":
                self.accepted[frame["id"]] = frame
            elif frame["type"] == "event" and "seq" in frame:
                self.seq = frame["seq"]
                self.shown.append(frame["seq"])
                if frame["event"]["type"] == "OutboundEvent":
                    self.replies.setdefault(frame["event"]["cause_id"], []).append(frame["event"])
            else:
                assert frame["type"] != "error", frame
            async with self.progress:
                self.progress.notify_all()


@asynccontextmanager
async def daemon(workspace: Path, log: Path) -> AsyncGenerator[asyncio.subprocess.Process, None]:
    """Start the real program; it is killed at the end, if it still lives."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "picklebot", "-w", str(workspace), "server"),
            cwd=TOP,
            env=clean_environment(),
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        await process.wait()


@pytest.mark.timeout(240)
async def test_a_client_that_resends_and_resumes_has_one_reply_to_each_of_1000_messages_across_five_kills(
    workspace: Path, gateway: Callable[..., None], tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    gateway(port=port)
    with (workspace / "config.yaml").open("a") as file:
        file.write("limits: {queue_per_session: 2000, day_usd: 1000}\n")
    client = Client(workspace, port)
    async with asyncio.TaskGroup() as group:
        living = group.create_task(client.live())
        for life in range(KILLS + 1):
            async with daemon(workspace, tmp_path / "log"):
                async with client.progress:
                    if life < KILLS:  # in the middle of things: some accepted, some answered, some on their way
                        goal = (life + 1) * MESSAGES // (KILLS + 1)
                        await client.progress.wait_for(lambda goal=goal: len(client.replies) >= goal)  # type: ignore[misc]
                        continue
                await living
                await judge(client, workspace, port)


async def judge(client: Client, workspace: Path, port: int) -> None:
    """Ask the daemon itself what is in its log."""
    ids = {frame["event_id"] for frame in client.accepted.values()}
    assert len(ids) == MESSAGES
    assert {cause: len(replies) for cause, replies in client.replies.items()} == dict.fromkeys(ids, 1)
    assert client.shown == sorted(set(client.shown)), "an event was shown twice, or out of order"
    token = (workspace / ".picklebot" / "token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False) as http:
        status = (await http.get("/api/status")).json()
        assert (status["accepted"], status["done"], status["open"], status["failed"]) == (MESSAGES, MESSAGES, 0, 0)
        logged, last = [], 0
        while page := (await http.get("/api/events", params={"after": str(last)})).json()["events"]:
            logged += page
            last = page[-1]["seq"]
    assert [each["seq"] for each in logged] == client.shown
