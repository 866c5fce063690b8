"""`picklebot events`: the durable events, in the order in which they were committed.

Promises one event a line, newest last, whatever their content holds.
"""

import asyncio
from collections.abc import Callable
from datetime import tzinfo

from picklebot.cli.output import local, many_lines, one_line, print_json, remark, say
from picklebot.cli.reading import reading, reading_something
from picklebot.clock import SystemClock, zone_named
from picklebot.config import Config
from picklebot.core.events import Event
from picklebot.core.text import shorten
from picklebot.shapes import event_json
from picklebot.store.sqlite import SqliteStore

LOOK_EVERY = 0.5  #: seconds between two looks at the database's version, which is a read of memory, not of disk
_WIDE = 100
_BATCH = 500


def list_events(*, config: Config, limit: int, as_json: bool) -> int:
    """List the last durable events."""
    with reading(config) as opened:
        found = asyncio.run(opened.reports.newest(limit)) if opened else []
        last = asyncio.run(opened.log.last()) if opened else 0
    if as_json:
        print_json({"events": [{"seq": seq, "event": event_json(event)} for seq, event in found], "last": last})
        return 0
    if not found:
        remark("Nothing was accepted or sent yet.")
    write = _line_writer(zone_named(config.timezone), as_json=False)
    for seq, event in found:
        write(seq, event)
    return 0


def show_event(*, config: Config, event: str, as_json: bool) -> int:
    """Show one event, whole, and where it stands."""
    with reading_something(config) as opened:
        seq, found = asyncio.run(opened.log.get(event))
        standing = asyncio.run(opened.reports.standing(seq))
    shape = event_json(found)
    if as_json:
        print_json({"seq": seq, "event": shape, **standing})
        return 0
    content = str(shape.pop("content"))
    shape["created_at"] = local(found.created_at, zone_named(config.timezone))
    for name, value in {"seq": seq, **shape, **standing}.items():
        if value is not None:
            say(f"{name}: {one_line(str(value))}")
    say()
    say(many_lines(content))
    return 0


def tail_events(*, config: Config, follow: bool, limit: int, as_json: bool) -> int:
    """Print the last events, one a line; with `follow` go on until the user leaves."""
    write = _line_writer(zone_named(config.timezone), as_json=as_json)
    asyncio.run(_tail(config, write, limit=limit, follow=follow))
    return 0


async def _tail(config: Config, write: Callable[[int, Event], None], *, limit: int, follow: bool) -> None:
    clock, first = SystemClock(), True
    while first or follow:
        with reading(config) as opened:
            if opened is not None:
                await _read_on(opened, write, limit=limit if first else _BATCH, follow=follow)
        # There is no database yet, so there is nothing to ask for its version.
        first = False
        if follow:
            await clock.sleep(LOOK_EVERY)


async def _read_on(opened: SqliteStore, write: Callable[[int, Event], None], *, limit: int, follow: bool) -> None:
    clock, last = SystemClock(), 0
    # Asked for before the events: what is committed in between shows as a change at the next look.
    version = await opened.reports.version()
    for last, event in await opened.reports.newest(limit):
        write(last, event)
    while follow:
        await clock.sleep(LOOK_EVERY)
        seen, version = version, await opened.reports.version()
        while seen != version and (fresh := await opened.log.after(last, limit=_BATCH)):
            for last, event in fresh:
                write(last, event)


def _line_writer(zone: tzinfo, *, as_json: bool) -> Callable[[int, Event], None]:
    def write(seq: int, event: Event) -> None:
        shape = event_json(event)
        if as_json:
            print_json({"seq": seq, "event": shape}, indent=None)
        else:
            content = shorten(str(shape.get("error") or shape["content"]), _WIDE)
            moment = local(event.created_at, zone)
            say(one_line(f"{seq:>6}  {moment}  {shape['type']:<13}  {event.source}  {event.id}  {content}"))

    return write
