"""The whole daemon: a scripted model, a fake platform, a held clock, and everything else real."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from shutil import rmtree
from typing import Protocol, TypeAlias

import pytest

from picklebot.agent.asking import Candidate
from picklebot.app import App, open_app
from picklebot.channels.base import Channel
from picklebot.config import Config, load
from picklebot.definitions.agents import ModelChoice
from picklebot.models.anthropic import preload
from picklebot.models.base import Model
from picklebot.store.sqlite import SqliteStore, open_store
from picklebot.testing import FakeChannel, FakeClock
from picklebot.testing.messages_api import MessagesApi
from picklebot.workspace import Workspace
from tests.flow.players import MARKED, MINE

SERVED = """\
default_agent: pickle
model: {{provider: anthropic, name: claude-sonnet-5-5, base_url: "{url}", max_tokens: 1000{model}}}
limits: {{turn_usd: 100, day_usd: 10000}}
gateway: {{enabled: false}}
{more}
"""
Stored: TypeAlias = Callable[[], AbstractAsyncContextManager[SqliteStore]]


class OneModel:
    """Gives every agent the same model."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def candidates(self, choice: ModelChoice) -> Sequence[Candidate]:
        return [Candidate(self._model)]


class Served(Protocol):
    """Runs a daemon whose agents ask `api` through the real client; `more` and `model` are added to its config.yaml."""

    def __call__(
        self, api: MessagesApi, more: str = "", *, model: str = "", grace: float = 5.0
    ) -> AbstractAsyncContextManager[App]: ...


class Daemon(Protocol):
    """Runs a daemon for as long as the block lasts, and stops it clean at the end."""

    def __call__(
        self, model: Model, *channels: Channel, grace: float = 5.0, role: str = "server"
    ) -> AbstractAsyncContextManager[App]: ...


@asynccontextmanager
async def running(
    config: Config, model: Model, *channels: Channel, clock: FakeClock, grace: float = 5.0, role: str = "server"
) -> AsyncIterator[App]:
    """Run a daemon for as long as the block lasts."""
    stop, ready = asyncio.Event(), asyncio.Event()
    opened = open_app(config, channels=channels, clock=clock, models=OneModel(model), role=role)
    async with opened as app, asyncio.TaskGroup() as group:
        group.create_task(app.run(stop, ready=ready.set, grace=grace), name="daemon")
        await ready.wait()
        try:
            yield app
        finally:
            stop.set()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def channel() -> FakeChannel:
    return FakeChannel()


@pytest.fixture
def configure(workspace: Path) -> Callable[..., Config]:
    """Return the workspace's configuration, with environment variables over it."""

    def configured(**variables: str) -> Config:
        return load(Workspace(workspace), variables)

    return configured


@pytest.fixture
def daemon(configure: Callable[..., Config], clock: FakeClock) -> Daemon:
    def run(
        model: Model, *channels: Channel, grace: float = 5.0, role: str = "server"
    ) -> AbstractAsyncContextManager[App]:
        return running(configure(), model, *channels, clock=clock, grace=grace, role=role)

    return run


@pytest.fixture
def served(workspace: Path, agents: Callable[..., None], channel: FakeChannel, clock: FakeClock) -> Served:
    """Run pickle and cookie on a Messages API."""
    agents(pickle={}, cookie={})

    @asynccontextmanager
    async def running(api: MessagesApi, more: str = "", *, model: str = "", grace: float = 5.0) -> AsyncIterator[App]:
        await asyncio.to_thread(preload)  # seconds, on a machine that does other things: no test is to wait for that
        text = SERVED.format(url=api.url, more=more, model=f", {model}" if model else "")
        (workspace / "config.yaml").write_text(text)
        stop, ready = asyncio.Event(), asyncio.Event()
        opened = open_app(load(Workspace(workspace), {}), channels=[channel], clock=clock)
        async with opened as app, asyncio.TaskGroup() as group:
            group.create_task(app.run(stop, ready=ready.set, grace=grace), name="daemon")
            await ready.wait()
            try:
                yield app
            finally:
                stop.set()

    return running


@pytest.fixture
def stored(configure: Callable[..., Config]) -> Stored:
    """Open the daemon's store while no daemon runs, to leave things in it as a crash would."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[SqliteStore]:
        config = configure()
        config.workspace.prepare()
        async with open_store(config.workspace.database) as store:
            yield store

    return opened


@pytest.fixture
def agent(workspace: Path) -> Callable[..., None]:
    """Write an agent's file: `agent("scout", max_concurrency=2)`."""

    def write(name: str, prompt: str = "Do as you are told.", **fields: object) -> None:
        folder = workspace / "agents" / name
        folder.mkdir(parents=True, exist_ok=True)
        head = "\n".join(f"{key}: {value}" for key, value in {"name": name, **fields}.items())
        (folder / "AGENT.md").write_text(f"---\n{head}\n---\n{prompt}\n")

    return write


@pytest.fixture
def agents(agent: Callable[..., None], workspace: Path) -> Callable[..., None]:
    """Write agents whose prompts say who they are: `agents(pickle={}, cookie={"max_concurrency": 1})`."""
    config = workspace / "config.yaml"
    config.write_text(config.read_text().replace("default_agent: echo", "default_agent: pickle"))
    rmtree(workspace / "agents" / "echo")

    def write(**fields: dict[str, object]) -> None:
        for name, settings in fields.items():
            agent(name, f"You are {name}.", **settings)

    return write


@pytest.fixture
def mine(workspace: Path) -> Path:
    (workspace / "tools").mkdir()
    (workspace / "tools" / "mine.py").write_text(MINE)
    with (workspace / "config.yaml").open("a") as file:
        file.write("tools: {local: true}\n")
    return workspace / "tools" / "ledger"


@pytest.fixture
def marked(workspace: Path) -> None:
    (workspace / "tools").mkdir()
    (workspace / "tools" / "marked.py").write_text(MARKED)
    with (workspace / "config.yaml").open("a") as file:
        file.write("tools: {local: true}\n")


@pytest.fixture
def owner() -> FakeChannel:
    """A channel that only the owner can speak through."""
    return FakeChannel("ws")
