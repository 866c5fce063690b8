"""Platforms that are away for a day, and thousands of messages when they are back. Knows the stages and the table."""

import resource
import tempfile
import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from picklebot.app import App
from picklebot.channels.base import Channel
from picklebot.config import load
from picklebot.models.base import Model
from picklebot.testing import FakeClock
from picklebot.workspace import Workspace
from tests.campaign.table import Row
from tests.channels.burst import outage_and_burst
from tests.channels.platforms import ALL
from tests.flow.conftest import running

PEOPLE = 200
MOST = 200  #: megabytes that a burst may take, those included that the platform itself needs here
SETTINGS = "default_agent: echo\nmodel: {provider: offline}\ngateway: {enabled: false}\n"


async def bursts(count: int) -> Row:
    """Have each platform come back to so many messages."""
    began, done, problems = time.monotonic(), list[str](), list[str]()
    for kind in ALL:
        with tempfile.TemporaryDirectory(prefix="picklebot-burst-") as folder:
            before = _megabytes()
            async with kind(_workspace(Path(folder))) as stage:
                clock, home = FakeClock(), stage.workspace

                def daemon(
                    model: Model, *channels: Channel, grace: float = 5.0, role: str = "server"
                ) -> AbstractAsyncContextManager[App]:
                    config = load(Workspace(home), {})  # noqa: B023  (called before the next round)
                    return running(config, model, *channels, clock=clock, grace=grace, role=role)  # noqa: B023

                went = await outage_and_burst(stage, daemon, clock, count=count, people=PEOPLE)
            grew = _megabytes() - before
        done.append(f"{kind.name}: {went.seconds:.0f} s, {grew} MB, {went.behind:,} behind when another was answered")
        problems += [f"{kind.name}: {words}" for words in went.problems]
        problems += [f"{kind.name}: it took {grew} MB"] * (grew > MOST)
        problems += [f"{kind.name}: others waited for all of it"] * (not went.behind)
    return Row(
        check=f"A day's outage, then {count:,} messages of {PEOPLE} people at once",
        done="; ".join(done),
        found="; ".join([f"{len(problems)} lost, doubled or out of order", *problems[:5]]),
        seconds=time.monotonic() - began,
        well=not problems,
    )


def _workspace(folder: Path) -> Path:
    (folder / "agents" / "echo").mkdir(parents=True)
    (folder / "config.yaml").write_text(SETTINGS)
    (folder / "agents" / "echo" / "AGENT.md").write_text("---\nname: Echo\n---\nSay back what you hear.\n")
    return folder


def _megabytes() -> int:
    """Return the most that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
