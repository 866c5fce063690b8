"""`picklebot pairing`: strangers at the door, and who was let in.

Promises that the database keeps its one writer: beside a daemon, /approve and /deny do it.
"""

import asyncio
from typing import Any

from picklebot.cli.calling import OK
from picklebot.cli.output import local, one_line, print_json, print_table, remark, say
from picklebot.cli.reading import reading
from picklebot.cli.writing import writing
from picklebot.clock import SystemClock, zone_named
from picklebot.config import Config
from picklebot.core.people import Grant, typed_code
from picklebot.core.proposals import visible
from picklebot.core.source import Source
from picklebot.errors import NotFound
from picklebot.shapes import knock_json

BY_HAND = Source("cli", ("pairing",))


def list_all(*, config: Config, as_json: bool) -> int:
    """List who waits and who was let in."""
    now, zone = SystemClock().now(), zone_named(config.timezone)
    with reading(config) as opened:
        waiting = asyncio.run(opened.pairings.pending(now)) if opened else ()
        grants = asyncio.run(opened.pairings.grants()) if opened else ()
    if as_json:
        print_json({"waiting": [knock_json(knock) for knock in waiting], "let_in": [_shape(grant) for grant in grants]})
    elif not (waiting or grants):
        remark("Nobody waits, and nobody was let in beside those in config.yaml.")
    else:
        rows = [(k.channel, k.person, visible(k.name), f"code {k.code}", local(k.at, zone)) for k in waiting]
        rows += [(g.channel, g.person, visible(g.name), g.role, local(g.at, zone)) for g in grants]
        print_table(("CHANNEL", "ID", "NAME", "WAITS OR MAY", "SINCE"), rows)
    return OK


def approve(*, config: Config, code: str, owner: bool) -> int:
    """Let somebody in."""
    meant = typed_code(code)
    if meant is None:
        raise NotFound(f"{code!r} is no code: a code has 8 letters and digits")
    now = SystemClock().now()
    with writing(config, role="pairing approve") as store:
        grant = asyncio.run(store.pairings.approve(meant, "owner" if owner else "guest", by=BY_HAND, at=now))
    if grant is None:
        raise NotFound(f"no code {meant} waits: it was used, mistyped too often, or is older than an hour")
    say(one_line(f"{grant.channel} {grant.person} is let in as {grant.role}."))
    return OK


def revoke(*, config: Config, channel: str, person: str) -> int:
    """Shut somebody out."""
    with writing(config, role="pairing revoke") as store:
        if not asyncio.run(store.pairings.revoke(channel, person, at=SystemClock().now())):
            raise NotFound(f"{channel} {person} was not let in by a code; who is in config.yaml is taken out there")
    say(one_line(f"{channel} {person} is shut out."))
    return OK


def _shape(grant: Grant) -> dict[str, Any]:
    return {
        "channel": grant.channel,
        "person": grant.person,
        "name": grant.name,
        "role": grant.role,
        "by": str(grant.by),
        "at": grant.at.isoformat(),
    }
