"""`picklebot tools trust SERVER`: let in what a server of tools offers now.

Promises that nothing is let in that was not shown. Knows no agent.
"""

import asyncio
import json
import sys

import typer

from picklebot.cli.output import many_lines, one_line, say
from picklebot.config import Config
from picklebot.core.proposals import visible
from picklebot.errors import NotFound
from picklebot.mcp.pins import Drift, Offer, drift
from picklebot.wiring.mcp import dialler, pins_of, targets


def trust(*, config: Config, server: str) -> int:
    """Show what differs from what was let in, and let it in; whoever sits before a terminal is asked first.

    Raises:
        NotFound: config.yaml names no such server.
        ServerTrouble: it cannot be spoken to.
    """
    offers = asyncio.run(_offers(config, server))
    pins = pins_of(config)
    known, read = pins.of(server), pins.is_read(server)
    difference = drift(known or (), offers)
    for offer in offers:
        if (state := _state(offer, difference)) or not read:
            say(f"{state or 'not read yet'}: {one_line(visible(offer.name))}")
            say(many_lines(visible(offer.description)))
            say(one_line(visible(json.dumps(offer.input_schema, ensure_ascii=False))))
            say()
    for name in difference.gone:
        say(f"gone: {one_line(visible(name))}")
    if (difference or not read) and sys.stdin.isatty() and not typer.confirm("Let this in?"):
        say("Nothing is changed.")
        return 1
    pins.let_in(server, offers, read=True)
    say(f"{server} is what it was." if read and not difference else f"{len(offers)} tools of {server} are let in.")
    return 0


def _state(offer: Offer, difference: Drift) -> str:
    if offer.name in difference.added:
        return "new"
    return "changed" if offer.name in difference.changed else ""


async def _offers(config: Config, server: str) -> list[Offer]:
    found = [target for target in targets(config) if target.name == server]
    if not found:
        names = ", ".join(target.name for target in targets(config)) or "none"
        raise NotFound(f"config.yaml names no server {server!r} that is enabled; there are: {names}")
    async with dialler(config)(found[0]) as line:
        return list(await line.offers())
