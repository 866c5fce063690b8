"""The kinds of value that settings are made of: durations, names of variables, addresses, zones.

Promises that a wrong value is refused in words that say what to write. Knows no section.
"""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from picklebot.core.durations import parse_duration
from picklebot.core.source import Source
from picklebot.settings.templates import parse_template

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
NO_VARIABLE = "should be the name of an environment variable that holds the secret, not the secret itself"
_AGENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class Section(BaseModel):
    """Settings that belong together: nothing unknown is let in, and nothing changes later."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        coerce_numbers_to_str=True,  # an id such as 42 is meant as text
        allow_inf_nan=False,
        defer_build=True,  # the whole tree is built once, when a file is first checked
        validate_default=False,
    )


class Misplaced(ValueError):
    """A value is wrong at `path` below the section that noticed it."""

    def __init__(self, message: str, *path: str) -> None:
        super().__init__(message)
        self.path = path


def nearest(word: str, known: Sequence[str]) -> str:
    """Return a hint that names the known word most like `word`, or where none is, those that there are."""
    if close := get_close_matches(word, known, n=1, cutoff=0.6):
        return f"did you mean {close[0]!r}?"
    if len(known) > 20:
        return "`picklebot config schema` lists what there is"
    return f"known here: {', '.join(sorted(known))}"


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach `host`. A name other than localhost may lead anywhere."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def is_nearby(host: str) -> bool:
    """Return whether `host` is this machine or one of the same private network, by its name or number alone."""
    try:
        return ip_address(host.strip("[]")).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".lan", ".home.arpa"))


def _duration(value: object) -> float:
    if not isinstance(value, str | int | float):
        raise ValueError(f"a {type(value).__name__} is no duration: write seconds or text such as '1h30m'")  # noqa: TRY004  # pydantic reports ValueError only
    return parse_duration(value)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # a path, a folder of zones, an unknown name
        known = sorted(available_timezones())
        close = get_close_matches(name, known, n=1, cutoff=0.6)
        hint = f"did you mean {close[0]!r}?" if close else "write one such as 'Europe/Berlin' or 'UTC'"
        raise ValueError(f"no time zone is called {name!r}; {hint}") from None
    return name


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("should be an address that begins with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("should hold no user or password: put the key into .env and name it with a key in _env")
    return text.rstrip("/")


def _variable(text: str) -> str:
    # The text is not repeated: what stands here by mistake is most often the secret.
    if not VARIABLE.fullmatch(text):
        raise ValueError(NO_VARIABLE)
    return text


def _agent_id(text: str) -> str:
    if not _AGENT_ID.fullmatch(text):
        raise ValueError(f"{text!r} is no id: letters, digits, '-' and '_', 64 at most, a letter or digit first")
    return text


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as exc:
        raise ValueError(f"{text!r} is no regular expression: {exc}") from None
    return text


def _template(text: str) -> str:
    parse_template(text)
    return text


def _deliver(text: str) -> str:
    if text not in {"none", "last"} and ":" not in text:
        raise ValueError(f"{text!r} is no place to deliver to: write none, last, or a source such as telegram:42:42")
    if ":" in text:
        Source.parse(text)
    return text


Duration = Annotated[
    float,
    BeforeValidator(_duration),
    WithJsonSchema({"type": ["number", "string"], "description": "Seconds, or text such as 30s, 10m, 1h30m."}),
]
"""Seconds, written as a number or as `30s`, `1h30m`."""

Deliver = Annotated[str, AfterValidator(_deliver)]
"""`none`, `last`, or a source."""

Zone = Annotated[str, AfterValidator(_zone)]
"""A name of the IANA time zone database."""

Url = Annotated[str, AfterValidator(_url)]
"""An http(s) address without credentials and without a slash at its end."""

VariableName = Annotated[str, AfterValidator(_variable)]
"""The name of an environment variable, or of a line in `.env`, that holds a secret."""

Pattern = Annotated[str, Field(max_length=256), AfterValidator(_pattern)]
"""A regular expression."""

AgentId = Annotated[str, AfterValidator(_agent_id), Field(json_schema_extra={"pattern": f"^{_AGENT_ID.pattern}$"})]
"""The id of an agent: the name of its folder below `agents/`."""

HookName = Annotated[str, AfterValidator(_agent_id)]
"""The name of a webhook, as it stands in its address."""

HookTemplate = Annotated[str, AfterValidator(_template)]
"""Text with paths in it."""
