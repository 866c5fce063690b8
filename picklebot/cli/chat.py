"""`picklebot chat`: the prompt first, everything else behind it.

Promises that one can type at once: the daemon's modules are loaded and opened while the prompt is there. Knows no
daemon.
"""

import asyncio
import os
import sys
from collections.abc import Coroutine
from typing import cast

from picklebot.cli.prompt import LinePrompt
from picklebot.cli.quiet import log_to_file
from picklebot.config import Config
from picklebot.plugins import load

HISTORY = "history"


def chat(*, config: Config, agent: str | None, session: str | None, new: bool) -> int:
    """Talk to an agent until the person leaves; return the exit code.

    Raises:
        PicklebotError: the conversation could not begin.
    """
    log_to_file(config)
    wish = {"agent": agent, "session": session, "new": new}
    if is_plain():
        plain = load("picklebot.cli.plain:converse", config=config, **wish)
        return asyncio.run(cast("Coroutine[None, None, int]", plain))
    return asyncio.run(_interactive(config, wish))


def is_plain() -> bool:
    """Return whether there is no terminal, or one that can only print."""
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    return not on_terminal or os.environ.get("TERM", "dumb") == "dumb"


async def _interactive(config: Config, wish: dict[str, str | bool | None]) -> int:
    line = LinePrompt(config.workspace.state / HISTORY)
    try:
        await line.appear()
        # In a thread, so that keys are answered meanwhile; and nothing is awaited yet, so it runs in this loop.
        target = "picklebot.cli.conversation:converse"
        conversation = await asyncio.to_thread(load, target, config=config, line=line, **wish)
        return await cast("Coroutine[None, None, int]", conversation)
    finally:
        await line.aclose()
