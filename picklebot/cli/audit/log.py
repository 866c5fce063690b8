"""`picklebot audit log` and `verify`: what was done, and whether the log of it is whole. Reads only."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any, get_args

from picklebot.cli.calling import FAILED, OK, USAGE
from picklebot.cli.output import counted, local, one_line, print_json, print_table, remark, say
from picklebot.cli.reading import reading, reading_plain
from picklebot.clock import zone_named
from picklebot.config import Config
from picklebot.core.proposals import visible
from picklebot.store.audit_proof import prove
from picklebot.store.base import AuditEntry, AuditKind

KINDS: tuple[str, ...] = get_args(AuditKind)
_HEAD = re.compile(r"\d+:[0-9a-f]{64}")
NOTHING = "Nothing was logged yet."


def show_log(*, config: Config, limit: int, kind: str | None, as_json: bool) -> int:
    """Print the last entries."""
    if kind is not None and kind not in KINDS:
        remark(f"picklebot: --kind is one of {', '.join(KINDS)}, not {kind!r}")
        return USAGE
    with reading(config) as opened:
        found = asyncio.run(opened.audit.entries(limit=limit, kind=kind)) if opened else ()
    if as_json:
        print_json({"entries": [_shape(entry) for entry in found]})
    elif not found:
        remark(NOTHING)
    else:
        zone = zone_named(config.timezone)
        rows = [(str(e.seq), local(e.at, zone), e.kind, _who(e.body), visible(_what(e.body))) for e in found]
        print_table(("ENTRY", "AT", "KIND", "BY OR FOR", "WHAT"), rows)
    return OK


def verify(*, config: Config, head: str, as_json: bool) -> int:
    """Look at all of it."""
    if head and not _HEAD.fullmatch(head):
        remark("picklebot: --head is what verify printed earlier, such as 12:9f86d08...")
        return USAGE
    with reading_plain(config) as connection:
        proof = prove(connection, head=head) if connection is not None else None
    problems = list(proof.problems) if proof else []
    if as_json:
        first, entries, last = (proof.first, proof.entries, proof.head) if proof else (1, 0, "")
        print_json({"ok": not problems, "first": first, "entries": entries, "head": last, "problems": problems})
    elif proof is None:
        remark(NOTHING)
    else:
        for problem in problems:
            say(one_line(visible(problem)))
        if not problems:
            say(f"The log holds: {counted(proof.entries, 'entry')}, from {proof.first} on.")
            say(f"head {proof.head}")
    return FAILED if problems else OK


def _shape(entry: AuditEntry) -> dict[str, Any]:
    return {
        "entry": entry.seq,
        "at": entry.at.isoformat(),
        "kind": entry.kind,
        "body": dict(entry.body),
        "digest": entry.digest,
    }


def _who(body: Mapping[str, Any]) -> str:
    return visible(str(body.get("by") or body.get("source") or ""))


def _what(body: Mapping[str, Any]) -> str:
    """Return an entry in words."""
    match body:
        case {"tool": tool, "state": state, "agent": agent, "event": event}:
            return f"{agent} called {tool}: {state} (picklebot why {event})"
        case {"proposal": proposal, "verdict": verdict, "about": about}:
            return f"{verdict} the {about} {proposal}"
        case {"turns": turns, "about": about}:
            return f"let {about} go on: {counted(int(turns), 'turn')}"
        case {"about": about, "agent": agent}:
            return f"{about} goes to {agent}" if agent else f"{about} is bound no more"
        case {"about": about, "what": what}:
            return f"{about}: {what}"
        case _:
            return ", ".join(f"{key} {value}" for key, value in body.items())
