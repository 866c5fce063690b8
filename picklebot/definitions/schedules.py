"""When a job is due: checks, not arithmetic.

Promises that what `schedule`, `moment` and `zone` return is understood by `patterns`, `datetime` and `zoneinfo`.
Knows nothing of files, jobs and the time it is now.
"""

import re
from datetime import MAXYEAR, MINYEAR, datetime
from zoneinfo import ZoneInfo, available_timezones

from picklebot.definitions.patterns import pattern
from picklebot.definitions.values import nearest

NICKNAMES = frozenset({"@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"})
_FIELD = re.compile(r"[0-9A-Za-z*?/,#-]{1,100}")
_DRAWN = re.compile(r"(?i)(^|,)[hr]($|[/,])")
_SPAN = re.compile(r"(?i)(?:^|,)([0-9a-z]+)-\1(?:$|[/,])")


def schedule(text: str) -> str:
    """Return a cron expression of five fields, or a nickname such as @daily, in one spelling.

    Raises:
        ValueError: if it is neither, or names a day that never comes.
    """
    fields = text.split()
    if len(fields) == 1 and fields[0].startswith("@"):
        return _nickname(fields[0].lower())
    if len(fields) != 5:
        hint = "minute hour day month weekday, as in '0 9 * * 1-5', or @daily and the like"
        raise ValueError(f"{text!r} has {len(fields)} fields where a schedule has five: {hint}")
    for field in fields:
        if not _FIELD.fullmatch(field):
            raise ValueError(f"{field!r} in the schedule {text!r} is no cron field")
        if _DRAWN.search(field):
            raise ValueError(f"{field!r} in the schedule {text!r} is drawn by lot: write the time, and use 'jitter'")
        if _SPAN.search(field):
            raise ValueError(f"{field!r} in the schedule {text!r} starts where it ends: write that one value")
    written = " ".join(fields)
    pattern(written)
    return written


def _nickname(name: str) -> str:
    if name not in NICKNAMES:
        near = nearest(name, NICKNAMES)
        raise ValueError(f"{name!r} is no schedule: {f'did you mean {near}?' if near else 'write @daily, for one'}")
    return name


def moment(text: str) -> str:
    """Return a date and time as it was written, once it is known to be one."""
    try:
        year = datetime.fromisoformat(text).year
    except ValueError as exc:
        raise ValueError(f"{text!r} is no date and time: write it like 2026-12-01T09:00") from exc
    if not MINYEAR < year < MAXYEAR:  # in another time zone it would be in no year at all
        raise ValueError(f"{text!r} is no date and time in which anything is due: write it like 2026-12-01T09:00")
    return text


def zone(text: str) -> str:
    """Return the name of a time zone, once it is known to be one."""
    try:
        return ZoneInfo(text).key
    except (KeyError, ValueError, OSError) as exc:  # unknown, a path, a folder such as 'Europe'
        near = nearest(text, available_timezones())
        hint = f"did you mean {near!r}?" if near else "write it like Europe/Berlin"
        raise ValueError(f"{text!r} is no time zone: {hint}") from exc
