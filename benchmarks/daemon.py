"""A whole daemon in this process, on the real model adapter, with people who talk to it.

Promises that everything but the platform is real: store, bus, workers, adapter, and a Messages API in another process.
"""

import asyncio
import gc
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import aclosing, asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path

from picklebot.app import App, open_app
from picklebot.channels.base import Accepted, Incoming
from picklebot.cli.server import SWEEPS
from picklebot.config import load
from picklebot.core.source import Source
from picklebot.errors import PicklebotError
from picklebot.workspace import Workspace

AGENT = "echo"
MODEL = "claude-sonnet-5-5"
PATIENCE = 60.0  #: seconds for one reply; whoever waits longer has found a bug
ENV = {"ANTHROPIC_API_KEY": "test"}
_CONFIG = """
default_agent: {agent}
gateway: {{enabled: false}}
model: {model}
limits: {{max_concurrency: 1024, turn_usd: 1000000, day_usd: 1000000}}
"""
_AGENT = """---
name: {name}
description: Says back what it hears.
tools: []
max_concurrency: 1024
---
You say back what you hear. {more}
"""

_JOB = """---
name: job-{n}
description: Does {n}, once a year.
agent: {agent}
schedule: "0 {hour} 29 2 *"
---
Do {n}.
"""


class People:
    """A channel in memory: whoever asks gets the reply to what was asked last under the same name."""

    name = "people"
    keyed = False
    max_length: int | None = None
    hint = ""

    def __init__(self) -> None:
        self._incoming: asyncio.Queue[Incoming] = asyncio.Queue()
        self._waiting: dict[str, asyncio.Future[str]] = {}
        self._numbers = count()

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[AsyncIterator[Incoming], None]:
        """Yield what people say."""
        async with aclosing(self._messages()) as messages:
            yield messages

    async def _messages(self) -> AsyncGenerator[Incoming, None]:
        while True:
            yield await self._incoming.get()

    async def send(self, to: Source, content: str, *, key: str) -> str:
        """Hand over a reply."""
        self._waiting.pop(to.parts[0]).set_result(content)
        return key

    async def ask(self, person: str, text: str) -> str:
        """Say `text`, and return the reply.

        Raises:
            PicklebotError: it was refused.
        """
        reply: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[person] = reply

        def settle(verdict: Accepted | PicklebotError) -> None:
            if isinstance(verdict, PicklebotError):
                reply.set_exception(verdict)

        key = f"m{next(self._numbers)}"
        self._incoming.put_nowait(Incoming(source=Source(self.name, (person,)), content=text, key=key, settle=settle))
        return await reply


def prepare(root: Path, url: str | None, *, skills: int = 0, agents: int = 0, jobs: int = 0) -> Path:
    """Make a workspace whose model is at `url` (None: the offline one), with so many further skills, agents and jobs."""
    root.mkdir(parents=True)
    model = f'{{provider: anthropic, name: {MODEL}, base_url: "{url}"}}' if url else "{provider: offline}"
    (root / "config.yaml").write_text(_CONFIG.format(agent=AGENT, model=model), encoding="utf-8")
    for name in (AGENT, *(f"agent-{n}" for n in range(agents))):
        folder = root / "agents" / name
        folder.mkdir(parents=True)
        (folder / "AGENT.md").write_text(_AGENT.format(name=name, more="" if name == AGENT else "x " * 500))
    for n in range(skills):
        folder = root / "skills" / f"skill-{n}"
        folder.mkdir(parents=True)
        (folder / "SKILL.md").write_text(f"---\nname: skill-{n}\ndescription: Does {n}.\n---\n{'word ' * 400}\n")
    for n in range(jobs):
        folder = root / "crons" / f"job-{n}"
        folder.mkdir(parents=True)
        (folder / "CRON.md").write_text(_JOB.format(n=n, hour=n % 24, agent=AGENT))
    return root


@asynccontextmanager
async def daemon(root: Path, people: People) -> AsyncGenerator[App, None]:
    """Run a daemon in the workspace at `root` for as long as the block lasts."""
    stop, ready = asyncio.Event(), asyncio.Event()
    config = load(Workspace(root), ENV)
    async with open_app(config, channels=[people]) as app, asyncio.TaskGroup() as group:
        group.create_task(app.run(stop, ready=ready.set), name="daemon")
        await ready.wait()
        try:
            yield app
        finally:
            stop.set()


@contextmanager
def collecting(*, ours: bool) -> Generator[None, None, None]:
    """Look for garbage as the server does, or as Python does by itself: each side is measured as it runs."""
    thresholds = gc.get_threshold()
    if ours:
        gc.set_threshold(*SWEEPS)
    gc.collect()
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


@contextmanager
def messages_api(*arguments: str) -> Generator[str, None, None]:
    """Run the instant Messages API in a process of its own; yield its URL."""
    command = [sys.executable, "-m", "picklebot.testing.messages_api", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()
