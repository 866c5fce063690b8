"""One workspace and all that surrounds it: a platform, a model, the ledger of what its tools have done.

Promises that everything but the daemon itself outlives the daemon. Knows how a daemon is started and ended, and
nothing of how it works.
"""

import asyncio
import random
import shutil
import signal
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.crash import tools
from tests.crash.daemons import KEY_VARIABLE, Daemon, Start
from tests.crash.evidence import Evidence, busy_rows, read_ledger
from tests.crash.habits import QUIET, Habits
from tests.crash.model import MATE, CrashModel
from tests.crash.moments import Aim, Moments
from tests.crash.platform import Platform

_CONFIG = """\
default_agent: crash
model: {{provider: anthropic, name: crash-model, base_url: "{url}", api_key_env: {key}}}
gateway: {{enabled: false}}
channels: {{loopback: {{enabled: true, use: picklebot.testing.platform, port: {port}, keyed: {keyed}}}}}
tools: {{local: true}}
delivery: {{first_delay: 0.02, max_delay: 0.1}}
limits: {{queue_per_session: {queue}, max_concurrency: 64}}
logging: {{level: warning}}
"""
_AGENT = """\
---
name: Crash
description: Does as it is told, until it dies.
tools: [pay, look, post, put, subagent_dispatch]
max_concurrency: 64
---
Do as you are told.
"""
_MATE = """\
---
name: Mate
description: Does as the other one says.
tools: [pay, look]
max_concurrency: 1
---
Do as you are told.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What kind of world it is. The model takes between the two `pauses` (seconds) to answer."""

    habits: Habits = QUIET
    keyed: bool = True
    queue: int = 20
    pauses: tuple[float, float] = (0.0, 0.0)
    plant: str | None = None


class World:
    """Everything around a daemon, and the daemon, one life after the other."""

    def __init__(self, folder: Path, start: Start, setting: Setting | None = None, *, seed: int = 0) -> None:
        self.setting = setting or Setting()
        self.folder = folder
        self.daemon: Daemon | None = None
        self.lives = 0
        self.ends: Counter[int] = Counter()  #: how the lives of the daemon ended, by status
        self.moments = Moments(self.kill)
        self.platform = Platform(self.moments, habits=self.setting.habits, chance=random.Random(seed))
        self.model = CrashModel(self.moments, pauses=self.setting.pauses, chance=random.Random(seed + 1))
        self.start = start  #: how the next life begins

    @property
    def workspace(self) -> Path:
        """Where the daemon lives."""
        return self.folder / "workspace"

    @property
    def database(self) -> Path:
        """The file it keeps its promises in."""
        return self.workspace / ".picklebot" / "picklebot.db"

    @property
    def log(self) -> Path:
        """What it has said on its way."""
        return self.folder / "daemon.log"

    async def __aenter__(self) -> Self:
        await self.model.api.start()
        await self.platform.start()
        agents = self.workspace / "agents"
        for folder in (agents / "crash", agents / MATE, self.workspace / "tools", self.folder / "traps"):
            folder.mkdir(parents=True)
        (agents / "crash" / "AGENT.md").write_text(_AGENT)
        (agents / MATE / "AGENT.md").write_text(_MATE)
        shutil.copy(tools.__file__, self.workspace / "tools" / "tools.py")
        (self.workspace / "config.yaml").write_text(
            _CONFIG.format(
                url=self.model.api.url,
                key=KEY_VARIABLE,
                port=self.platform.port,
                keyed=str(self.setting.keyed).lower(),
                queue=self.setting.queue,
            )
        )
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.end(signal.SIGKILL)
        await self.platform.aclose()
        await self.model.api.aclose()

    async def begin(self, aim: Aim | None = None) -> Daemon:
        """Start the daemon; it is killed where `aim` says."""
        assert self.daemon is None, "it lives"
        self.moments.aim(aim)
        self.lives += 1
        # A request may outlive who made it, so each says by its key in which life it was made.
        self.daemon = await self.start(self.workspace, self.log, key=f"life-{self.lives}", plant=self.setting.plant)
        return self.daemon

    def kill(self) -> None:
        """Kill the daemon, now."""
        if self.daemon is not None:
            self.daemon.signal(signal.SIGKILL)
            self.platform.fall_silent()

    async def end(self, number: signal.Signals, *, seconds: float = 30.0) -> int:
        """Send a signal, wait for the end of this life and return its status; 0 if nothing lives."""
        if self.daemon is None:
            return 0
        if number is signal.SIGKILL:
            self.kill()
        else:
            self.daemon.signal(number)
        return await self.ended(seconds=seconds)

    async def ended(self, *, seconds: float = 30.0) -> int:
        """Wait for this life to end by itself or by its aim, and return its status.

        Raises:
            TimeoutError: it goes on; it is killed all the same.
        """
        daemon = self.daemon
        assert daemon is not None, "nothing lives"
        try:
            async with asyncio.timeout(seconds):
                await daemon.ended.wait()
        except TimeoutError:
            daemon.signal(signal.SIGKILL)
            await daemon.ended.wait()
            raise
        finally:
            self.moments.aim(None)
            for trap in (self.folder / "traps").iterdir():
                trap.unlink(missing_ok=True)
            if daemon.status is not None:
                self.ends[daemon.status] += 1
                self.daemon = None
        assert daemon.status is not None
        return daemon.status

    async def linger(self, seconds: float) -> None:
        """Let it live for so long, or until it ends."""
        assert self.daemon is not None, "nothing lives"
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.daemon.ended.wait()

    async def live(self, aim: Aim) -> int:
        """Live until the aim; return the status of the end."""
        await self.begin(aim)
        return await self.ended()

    def trap(self, name: str) -> None:
        """Let the next call of a tool kill the daemon: `pay.before` its effect, or `pay.after`."""
        (self.folder / "traps" / name).touch()

    async def drain(self, *, seconds: float = 30.0) -> bool:
        """Let the daemon live, unharmed, until nothing is open; stop it in peace; return whether that came to pass.

        What is still open after that is not lost: it is not yet done, and that is another verdict.
        """
        if self.daemon is None:
            await self.begin()
        quiet = False
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while not quiet and loop.time() < until and self.daemon is not None and self.daemon.status is None:
            await self.moments.until(lambda: self.platform.settled, seconds=0.2)
            quiet = self.platform.all_accepted and not busy_rows(self.database)
            if not quiet:
                await asyncio.sleep(0.02)  # the database is another process's: it can only be looked at again
        await self.end(signal.SIGTERM)
        return quiet

    def evidence(self) -> Evidence:
        """Return all that an outsider can know."""
        return Evidence(
            database=self.database,
            platform=tuple(self.platform.log),
            asked=tuple(self.model.log),
            ledger=tuple(read_ledger(self.folder / "ledger")),
            ends=dict(self.ends),
        )
