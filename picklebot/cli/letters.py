"""`picklebot events dead|retry|drop`: what was set aside, and what is to become of it.

Promises that nothing is retried or dropped while a daemon runs, which would be a second writer.
"""

import asyncio
from collections.abc import Sequence

from picklebot.cli.calling import USAGE
from picklebot.cli.output import counted, local, print_json, print_table, remark, say
from picklebot.cli.reading import reading
from picklebot.cli.writing import writing
from picklebot.clock import SystemClock, zone_named
from picklebot.config import Config
from picklebot.core.text import shorten
from picklebot.shapes import letter_json
from picklebot.store.letters import Letter

_WIDE = 60


def list_dead(*, config: Config, as_json: bool) -> int:
    """List what was set aside, oldest first."""
    with reading(config) as opened:
        found = asyncio.run(opened.letters.dead()) if opened else []
    if as_json:
        print_json({"events": [letter_json(letter) for letter in found]})
    elif not found:
        remark("Nothing is set aside.")
    else:
        zone = zone_named(config.timezone)
        rows = [
            (
                letter.event.id,
                letter.kind,
                local(letter.event.created_at, zone),
                str(letter.event.source),
                str(letter.attempts),
                shorten(letter.error or "", _WIDE),
                shorten(letter.content, _WIDE),
            )
            for letter in found
        ]
        print_table(("ID", "KIND", "SINCE", "SOURCE", "ATTEMPTS", "ERROR", "CONTENT"), rows)
    return 0


def retry(*, config: Config, event: str | None, everything: bool) -> int:
    """Let one go on, or all of them."""
    if (event is None) is not everything:
        remark("picklebot: give the id of an event, or --all")
        return USAGE
    now = SystemClock().now()
    with writing(config, role="events retry") as store:
        letters = store.letters
        let_go = [asyncio.run(letters.retry(event, at=now))] if event else asyncio.run(letters.retry_all(at=now))
    _tell(let_go, "will be tried again when picklebot runs")
    return 0


def drop(*, config: Config, event: str) -> int:
    """Give one up for good."""
    with writing(config, role="events drop") as store:
        letter = asyncio.run(store.letters.drop(event, at=SystemClock().now()))
    _tell([letter], "is given up; it stays in the log")
    return 0


def _tell(letters: Sequence[Letter], fate: str) -> None:
    for letter in letters:
        say(letter.event.id)
    if len(letters) == 1:
        remark(f"The {letters[0].kind} {fate}.")
    else:
        remark(f"{counted(len(letters), 'event')} {fate}." if letters else "Nothing was set aside.")
