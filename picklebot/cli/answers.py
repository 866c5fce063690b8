"""What `init` asks, on a terminal, in plain lines; every question has an answer to start from.

Promises that an answer fits where it goes, and that a key is not shown. Knows no file.
"""

from dataclasses import dataclass, field
from getpass import getpass

from pydantic import TypeAdapter, ValidationError

from picklebot.cli.output import remark, say
from picklebot.settings.values import Url, Zone

_URL: TypeAdapter[str] = TypeAdapter(Url)
_ZONE: TypeAdapter[str] = TypeAdapter(Zone)
_CHOICES = ("anthropic", "other", "offline")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the user wants. None, or nothing: as the template has it."""

    provider: str | None = None
    model: str = "claude-sonnet-5-5"
    base_url: str = ""
    key_name: str = "ANTHROPIC_API_KEY"
    key: str | None = field(default=None, repr=False)
    timezone: str = ""


def ask_for(*, secrets: bool) -> Answers:
    """Ask; `secrets` says whether a key could be kept."""
    say("Which model is to answer?")
    say("  anthropic   Claude, with a key from Anthropic")
    say("  other       any server that speaks the Messages API, such as a local one")
    say("  offline     none yet: a built-in stand-in with a few rules, for trying things out")
    match _choose("Model", _CHOICES):
        case "offline":
            return Answers(provider="offline", timezone=_timezone())
        case "other":
            url = _until_right("Its address", _URL, needed=True)
            model = _ask("Name of the model there", "claude-sonnet-5-5")
            key = _secret("Its key, if it wants one (not shown)") if secrets else None
            return Answers(
                provider="anthropic",
                base_url=url,
                model=model,
                key_name="MODEL_API_KEY",
                key=key,
                timezone=_timezone(),
            )
        case _:
            key = _secret("The key; empty to write it into .env later (not shown)") if secrets else None
            return Answers(key=key, timezone=_timezone())


def _choose(question: str, choices: tuple[str, ...]) -> str:
    while True:
        answer = _ask(question, choices[0]).lower()
        found = [choice for choice in choices if choice.startswith(answer)]
        if len(found) == 1:
            return found[0]
        remark(f"One of {', '.join(choices)}, please.")


def _timezone() -> str:
    return _until_right("Time zone, such as Europe/Berlin; empty for this machine's", _ZONE)


def _until_right(question: str, kind: TypeAdapter[str], *, needed: bool = False) -> str:
    while True:
        answer = _ask(question)
        if not answer and not needed:
            return ""
        try:
            return kind.validate_python(answer)
        except ValidationError as exc:
            remark(exc.errors()[0]["msg"].removeprefix("Value error, ") + ".")


def _ask(question: str, default: str = "") -> str:
    shown = f"{question} [{default}]: " if default else f"{question}: "
    return "".join(filter(str.isprintable, input(shown))).strip() or default


def _secret(question: str) -> str | None:
    return "".join(filter(str.isprintable, getpass(f"{question}: "))).strip() or None
