"""When: "in 10 minutes", "tomorrow at 9", "every weekday at 8:30", as the fields of a scheduled task.

Promises fields that `schedule_task` takes (`at`, `every` or `schedule`), in local time as the request told it, and
never a moment before the one asked for. Knows minutes, as the request tells no seconds, and no summer time.
"""

import re
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import TypeAlias

SOONEST = timedelta(minutes=2)  #: one minute from "10:00" may already be over: the request tells no seconds

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY = "|".join(_DAYS)
_NUMBERS = {
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "ten": 10,
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
    "half an": 0,
}
_NUMBER = "[0-9]{1,4}|" + "|".join(_NUMBERS)
_UNIT = "seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w"
_CLOCK = r"(?:[0-9]{1,2}(?::[0-9]{2})?(?: ?[ap]\.?m\.?| o'clock)?|noon|midnight)"
_DATE = rf"(?:today|tonight|tomorrow|(?:on |next )?(?:{_DAY})|(?:on )?[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})"

_IN = rf"in (?:about )?(?P<n>{_NUMBER}) ?(?P<unit>{_UNIT})"
_EVERY = rf"every (?:(?P<n>{_NUMBER}) ?)?(?P<unit>{_UNIT})"
_DAILY = rf"(?:(?:every|each) (?P<days>day|morning|evening|weekday|weekend|{_DAY})|daily)(?: at (?P<clock>{_CLOCK}))?"
_AT = rf"(?:(?P<date>{_DATE})(?: at (?P<late>{_CLOCK}))?|at (?P<clock>{_CLOCK})(?: (?P<then>{_DATE}))?)"
#: A moment or a rhythm, with no groups of its own.
WHEN = "(?:" + "|".join(re.sub(r"\?P<\w+>", "?:", part) for part in (_IN, _DAILY, _EVERY, _AT)) + ")"

_WEEKDAYS = {"day": "*", "morning": "*", "evening": "*", "weekday": "1-5", "weekend": "0,6"}
_USUAL = {"evening": time(18)}


When: TypeAlias = Mapping[str, str]


def parse(text: str, now: datetime | None) -> When | None:
    """Return the field of `schedule_task` that says when, seen from `now`; None if it cannot be told."""
    text = " ".join(text.lower().split())
    try:
        if match := re.fullmatch(_DAILY, text):
            return _daily(match)
        if match := re.fullmatch(_EVERY, text):
            return {"every": _short(match)}
        if now is None:
            return None
        if match := re.fullmatch(_IN, text):
            return _once(now + max(_span(match), SOONEST))
        if match := re.fullmatch(_AT, text):
            return _at(match, now)
    except (ValueError, OverflowError):  # 25:00, the 31st of February, the year 10000
        return None
    return None


def _once(moment: datetime) -> When:
    return {"at": moment.strftime("%Y-%m-%dT%H:%M")}


def _at(match: re.Match[str], now: datetime) -> When:
    clock = _clock(match["late"] or match["clock"], time(20) if match["date"] == "tonight" else time(9))
    named = (match["date"] or match["then"] or "").removeprefix("on ").removeprefix("next ")
    if named in _DAYS:
        ahead = (_DAYS.index(named) - now.weekday()) % 7
        moment = datetime.combine(now + timedelta(days=ahead), clock)
        return _once(moment if moment > now else moment + timedelta(days=7))
    if named[:1].isdigit():
        return _once(datetime.combine(datetime.strptime(named, "%Y-%m-%d"), clock))  # noqa: DTZ007  # local, as all here
    moment = datetime.combine(now, clock)
    return _once(moment + timedelta(days=1) if named == "tomorrow" or (not named and moment <= now) else moment)


def _daily(match: re.Match[str]) -> When:
    days = match["days"] or "day"
    clock = _clock(match["clock"], _USUAL.get(days, time(9)))
    weekday = _WEEKDAYS.get(days) or str((_DAYS.index(days) + 1) % 7)
    return {"schedule": f"{clock.minute} {clock.hour} * * {weekday}"}


def _clock(text: str | None, usual: time) -> time:
    if text is None:
        return usual
    if text in {"noon", "midnight"}:
        return time(12 if text == "noon" else 0)
    hour, minute = int(re.findall("[0-9]+", text)[0]), int((re.findall(":([0-9]+)", text) or ["0"])[0])
    if re.search("[ap].?m", text):
        hour = hour % 12 + (12 if "p" in text else 0) if 1 <= hour <= 12 else 99
    return time(hour, minute)


def _number(match: re.Match[str]) -> int:
    written = match["n"] or "1"
    return _NUMBERS[written] if written in _NUMBERS else int(written)


def _span(match: re.Match[str]) -> timedelta:
    if match["n"] == "half an":
        return timedelta(minutes=30)
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}[match["unit"][0]]
    return timedelta(seconds=_number(match) * seconds)


def _short(match: re.Match[str]) -> str:
    if match["n"] == "half an":
        return "30m"
    if (number := _number(match)) == 0:
        raise ValueError("a rhythm takes time")
    return f"{number}{match['unit'][0]}"
