"""`picklebot why`: what led to an event, and what came of it, as one tree.

Promises an answer beside a running daemon, and one for silence too. Writes nothing.
"""

import asyncio

from picklebot.cli.output import one_line, print_json, say, speaks
from picklebot.cli.reading import reading_something
from picklebot.clock import SystemClock
from picklebot.config import Config
from picklebot.definitions.library import Library
from picklebot.lock import holder_of
from picklebot.shapes import link_json
from picklebot.wiring.routing import routing_of
from picklebot.wiring.why import surroundings_of
from picklebot.workers.tree import ASCII, LINES, draw
from picklebot.workers.why import tell


def why(*, config: Config, event: str, as_json: bool) -> int:
    """Print the chain that an event is part of."""
    with reading_something(config) as opened:
        chain = asyncio.run(opened.chains.chain(event))
        made = asyncio.run(opened.bindings.all())
    if as_json:
        print_json({"asked": chain.asked, "running": dict(chain.running), "chain": link_json(chain.root)})
        return 0
    workspace, library = config.workspace, Library(config.workspace.root)
    library.scan()
    runs = holder_of(workspace.lock_file, workspace.daemon_file) is not None
    around = surroundings_of(config, library, SystemClock(), routing=routing_of(config, made), runs=runs)
    for line in draw(tell(chain, around), LINES if speaks("".join(LINES)) else ASCII):
        say(one_line(line))
    return 0
