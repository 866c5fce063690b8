"""The real program on a file system of its own that really is full: it refuses, loses nothing, and goes on by itself (P14)."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from shlex import join, quote
from typing import Any

import httpx2
import pytest

from picklebot.sandbox.bubblewrap import find_program
from picklebot.testing.faults import END_OF_BODY, Answer, Chunk, End, Fault, slow
from picklebot.testing.messages_api import MessagesApi
from tests.crash.daemons import TOP, clean_environment

SMALL = 24 << 20  #: bytes: room for a daemon, and not for what it keeps room with
LARGER = 64 << 20  #: bytes: room for a write-ahead log that is long from the start, and still not for a ballast
LONG = " and so on" * 2_000  #: what each message says beside its key: some pages of the database
PICKLEBOT = join([sys.executable, "-m", "picklebot", "-w", "."])
CHECK = (
    "import sqlite3; print(*sqlite3.connect('.picklebot/picklebot.db').execute('PRAGMA integrity_check').fetchone())"
)
WHOLE = join([sys.executable, "-c", CHECK])
CONFIG = """\
default_agent: echo
model: {{provider: anthropic, name: claude-sonnet-5-5, base_url: "{url}", api_key_env: DISK_KEY}}
gateway: {{port: {port}}}
"""


class Shell:
    """A shell in a folder that is a small file system, which nobody else sees."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def run(self, command: str) -> str:
        """Run `command`; return the last line that it printed, and how it ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{command}\necho; echo end $?\n".encode())
        lines: list[str] = []
        while not (line := (await self._process.stdout.readline()).decode()).startswith("end "):
            assert line, "the shell ended"
            lines += [line.strip()] if line.strip() else []
        return lines[-1] if lines else ""


@asynccontextmanager
async def small_disk(folder: Path, size: int) -> AsyncGenerator[Shell, None]:
    folder.mkdir()
    program = find_program()
    assert program is not None
    process = await asyncio.create_subprocess_exec(
        *(str(program), "--die-with-parent", "--unshare-pid", "--dev-bind", "/", "/", "--proc", "/proc"),
        *("--size", str(size), "--tmpfs", str(folder), "--chdir", str(folder), "sh"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=TOP,
        env=clean_environment() | {"DISK_KEY": "test"},
    )
    try:
        yield Shell(process)
    finally:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        await process.wait()


def held(gate: asyncio.Event) -> Fault:
    """An answer that does not come before `gate` is open."""

    def plan(answer: Answer) -> Iterator[bytes | Chunk | float | End]:
        while not gate.is_set():
            yield 0.01
        yield answer.head
        yield from (Chunk(content=piece) for piece in answer.pieces)
        yield END_OF_BODY

    return replace(slow(0, reply="the first is answered"), plan=plan)


async def until_ready(http: httpx2.AsyncClient, shell: Shell) -> None:
    while True:
        with suppress(httpx2.TransportError):
            token = await shell.run("cat .picklebot/token")
            http.headers["Authorization"] = f"Bearer {token}"
            if (await http.get("/readyz")).status_code == 200:
                return
        await asyncio.sleep(0.05)  # until a program of somebody else's is there, which nothing tells


async def post(http: httpx2.AsyncClient, key: str, **more: str) -> tuple[int, dict[str, Any]]:
    answer = await http.post(
        "/api/messages", json={"content": key + LONG, "new": True}, headers={"Idempotency-Key": key}, params=more
    )
    return answer.status_code, answer.json()


async def until_refused(http: httpx2.AsyncClient, accepted: list[str]) -> dict[str, Any]:
    while True:
        code, answer = await post(http, f"more {len(accepted)}")
        if code != 202:
            assert code == 503
            return answer
        accepted.append(f"more {len(accepted)}")


@pytest.mark.parametrize(("size", "more"), [(SMALL, 0), (LARGER, 9)])
async def test_a_daemon_on_a_disk_that_fills_up_refuses_finishes_what_it_took_and_is_whole_after_a_kill(
    size: int, more: int, workspace: Path, tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    gate = asyncio.Event()
    async with (
        MessagesApi(held(gate), default="yes") as api,
        small_disk(tmp_path / "disk", size) as shell,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as http,
    ):
        (workspace / "config.yaml").write_text(CONFIG.format(url=api.url, port=port))
        await shell.run(f"cp -r {quote(str(workspace))}/. .; export PYTHONPATH={quote(str(TOP))}")
        await shell.run(f"{PICKLEBOT} server > {quote(str(tmp_path / 'log'))} 2>&1 & daemon=$!")
        await until_ready(http, shell)
        assert (await post(http, "first"))[0] == 202
        await api.asked()

        await shell.run("dd if=/dev/zero of=a bs=64k; dd if=/dev/zero of=b bs=1k")
        accepted = ["first"]
        refused = await until_refused(http, accepted)
        assert refused["error"]["code"] == "no_room"
        assert len(accepted) > more, "a long log takes more before it is full"
        not_ready = await http.get("/readyz")
        assert not_ready.status_code == 503
        assert "full" in not_ready.json()["error"]["message"]
        [problem] = (await http.get("/api/status")).json()["problems"]
        assert "no message is accepted: the disk is full" in problem["message"]
        gate.set()  # the reply to what was accepted before comes while there is no room for it

        await shell.run("rm a b")
        assert (await http.get("/readyz")).status_code == 200
        code, answered = await post(http, f"more {len(accepted)}", wait="20")
        assert (code, answered["reply"], answered["duplicate"]) == (200, "yes", False)
        for key in accepted:
            code, answered = await post(http, key, wait="20")
            reply = "the first is answered" if key == "first" else "yes"
            assert (code, answered["reply"], answered["duplicate"]) == (200, reply, True)

        await shell.run(
            "dd if=/dev/zero of=a bs=64k; dd if=/dev/zero of=b bs=1k; kill -9 $daemon; wait $daemon; rm a b"
        )
        await shell.run(f"{PICKLEBOT} server > {quote(str(tmp_path / 'log'))} 2>&1 &")
        await until_ready(http, shell)
        status = (await http.get("/api/status")).json()
        total = len(accepted) + 1
        assert (status["accepted"], status["done"], status["open"]) == (total, total, 0)
        assert await shell.run(WHOLE) == "ok"
