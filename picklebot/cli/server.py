"""The daemon in the foreground.

Promises that SIGTERM and SIGINT drain, that a second one hurries, and that SIGHUP looks at the definitions again.
"""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, cast

from picklebot import __version__, logs
from picklebot.app import open_app
from picklebot.cli.checks.findings import Finding
from picklebot.config import Config
from picklebot.core.redaction import SecretFile
from picklebot.plugins import load
from picklebot.privacy import keep_to_itself

logger = logging.getLogger(__name__)

SWEEPS = (10_000, 20, 50)
"""When garbage is looked for. A turn makes thousands of objects that die with it and few cycles, beside a heap of
hundreds of thousands that live as long as the daemon: Python's own thresholds cost a fifth of a turn's processor time."""


def server(*, config: Config) -> int:
    """Run until a signal says stop."""
    # Whoever leaves a request rings with SIGHUP, and may do so while nobody listens yet, or any more.
    signal.signal(signal.SIGHUP, _ignore)
    logs.setup(
        config.logging.level,
        config.logging.format,
        stream=sys.stderr,
        secrets=config.known_secrets(),
        live=SecretFile(config.workspace.token_file),
    )
    keep_to_itself()
    gc.set_threshold(*SWEEPS)
    try:
        asyncio.run(_serve(config))
    except asyncio.CancelledError:  # a second signal: what was in hand goes on after the restart
        logger.warning("stopped in a hurry")
    return 0


async def _serve(config: Config) -> None:
    stop = asyncio.Event()
    async with open_app(config, examine=partial(_findings, config)) as app:
        loop = asyncio.get_running_loop()
        main = asyncio.current_task()
        assert main is not None

        def leave(name: str) -> None:
            if stop.is_set():
                logger.warning("%s again: stopping at once", name)
                main.cancel()
            else:
                logger.info("%s: finishing what is in hand", name)
                stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, leave, number.name)
        async with asyncio.TaskGroup() as reloads:

            def reload() -> None:
                reloads.create_task(app.staff.definitions.reload(), name="reload")
                if app.staff.scheduler is not None:
                    app.staff.scheduler.look_at_requests()

            loop.add_signal_handler(signal.SIGHUP, reload)
            for notice in app.notices:
                logger.warning("%s", notice)
            await app.run(
                stop, ready=lambda: logger.info("picklebot %s is ready in %s", __version__, config.workspace.root)
            )
            loop.remove_signal_handler(signal.SIGHUP)
            signal.signal(signal.SIGHUP, _ignore)
    logger.info("stopped clean")


def _findings(config: Config) -> Sequence[Mapping[str, Any]]:
    """Return what `picklebot doctor` finds, loaded by the first who asks."""
    found = cast("Iterator[Finding]", load("picklebot.cli.doctor:examine", workspace=config.workspace, mend=False))
    return [finding.to_json() for finding in found]


def _ignore(number: int, frame: object) -> None:
    """Do nothing. Unlike SIG_IGN, no child inherits that."""
