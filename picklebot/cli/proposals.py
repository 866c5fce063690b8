"""`picklebot proposals`: what agents asked the owner to allow, listed and shown whole.

Only reads: /approve and /deny in a conversation answer.
"""

import asyncio
from collections.abc import Sequence

from picklebot.cli.output import local, many_lines, one_line, print_json, print_table, remark, say
from picklebot.cli.reading import reading, reading_something
from picklebot.clock import SystemClock, zone_named
from picklebot.config import Config
from picklebot.core.proposals import Proposal, typed_id, visible
from picklebot.core.text import shorten
from picklebot.shapes import proposal_json
from picklebot.wiring.standing import unanswered

_WIDE = 90


def list_proposals(*, config: Config, as_json: bool) -> int:
    """List what waits for an answer."""
    with reading(config) as opened:
        found: Sequence[Proposal] = asyncio.run(unanswered(opened, SystemClock().now())) if opened else ()
    if as_json:
        print_json({"proposals": [proposal_json(proposal) for proposal in found]})
    elif not found:
        remark("Nothing waits for an answer.")
    else:
        zone = zone_named(config.timezone)
        rows = [
            (p.id, p.kind, local(p.created_at, zone), str(p.source), visible(shorten(p.title, _WIDE))) for p in found
        ]
        print_table(("ID", "KIND", "PROPOSED", "IN", "TITLE"), rows)
    return 0


def show_proposal(*, config: Config, name: str, as_json: bool) -> int:
    """Show one, whole, whatever became of it."""
    with reading_something(config) as opened:
        proposal = asyncio.run(opened.proposals.get(typed_id(name)))
    if as_json:
        print_json({**proposal_json(proposal), "details": proposal.details, "body": dict(proposal.body)})
        return 0
    for key, value in proposal_json(proposal).items():
        if value not in (None, ""):
            say(f"{key}: {one_line(visible(str(value)))}")
    say()
    say(many_lines(visible(proposal.details)))
    return 0
