"""Makes docs/reference.md from the code, so that it cannot lie: settings, commands, slash commands, tools, events.

`python -m checks.reference` says whether the page is up to date; with `--write` it is made anew. Promises the same page
on every machine. Writes docs/api.md beside it, which `checks.api` makes.
"""

import dataclasses
import difflib
import inspect
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from checks import api
from checks.catalogue import Setting, commands, endpoints, event_kinds, settings, slash_commands, tools
from checks.markdown import table
from checks.tree import TOP, Finding, report
from picklebot.core import events
from picklebot.workers.commands import Command

PAGE = Path("docs/reference.md")
NOT_YET = (
    "model.capabilities.count_tokens",
    "model.capabilities.tool_choice",
    "model.providers.NAME.capabilities.count_tokens",
    "model.providers.NAME.capabilities.tool_choice",
)
"""Settings that are read and checked, and that nothing in the daemon asks for yet. Whoever builds it takes the name out."""

_HEAD = """\
# Reference

Made from the code by `make docs`; what is written here by hand is lost. The other pages say what these things are for:
[configuration](configuration.md), [command line](cli.md), [tools](tools.md), [architecture](architecture.md).
"""
_SETTINGS = """\
Keys of `config.yaml`. `NAME` stands for a name that you choose, `[]` for each entry of a list. Durations are seconds,
or text such as `30s` and `1h30m`. *No effect yet*: the value is checked, and nothing in the daemon asks for it today.
"""
_EVENTS = """\
Every event has `id`, `created_at`, `session_id`, `source` and `cause_id`, and these fields of its own. Durable events
are rows before anyone hears of them; notices are live only.
"""


def build() -> str:
    """Return the whole page."""
    parts = [_HEAD, "## Settings", _SETTINGS, *_setting_tables(), "## Commands", *_command_parts()]
    parts += ["## Slash commands", table(("command", "what it does"), [_slash(each) for each in slash_commands()])]
    parts += ["## Tools", *_tool_parts(), "## Events", _EVENTS, table(("event", "kind", "fields", "meaning"), _rows())]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _setting_tables() -> Iterator[str]:
    found = settings()
    tops = [each for each in found if "." not in each.path]
    header = ("key", "kind", "default", "what it does")
    plain = [top for top in tops if not any(each.path.startswith(f"{top.path}.") for each in found)]
    yield table(header, [_setting(each) for each in plain])
    for top in (each for each in tops if each not in plain):
        note = " *No effect yet.*" if top.path in NOT_YET else ""
        yield f"### {top.path}\n\n{top.description}{note}"
        inner = [each for each in found if each.path.startswith(f"{top.path}.") and each.kind != "section"]
        yield table(header, [_setting(each) for each in inner])


def _setting(setting: Setting) -> tuple[str, ...]:
    note = " *No effect yet.*" if setting.path in NOT_YET else ""
    return f"`{setting.path}`", setting.kind, setting.default, setting.description + note


def _command_parts() -> Iterator[str]:
    for each in commands():
        yield f"### {f'picklebot {each.words}'.strip()}\n\n{each.help}"
        if each.takes:
            yield table(("takes", "meaning", "default"), each.takes)


def _slash(command: Command) -> tuple[str, str]:
    return f"`{f'/{command.name} {command.usage}'.strip()}`", command.summary


def _tool_parts() -> Iterator[str]:
    for tool in tools():
        yield f"### {tool.name}\n\nEffect: `{tool.effect.value}`. {' '.join(tool.description.split())}"
        needed = tool.input_schema.get("required", ())
        rows = [
            (f"`{name}`", "needed" if name in needed else "", _meaning(shape))
            for name, shape in tool.input_schema["properties"].items()
        ]
        yield table(("input", "", "meaning"), rows)


def _meaning(shape: Mapping[str, Any]) -> str:
    return next((each["description"] for each in (shape, *shape.get("anyOf", ())) if "description" in each), "")


def _rows() -> Iterator[tuple[str, ...]]:
    shared = {field.name for field in dataclasses.fields(events.Event)}
    for each in event_kinds():
        fields = ", ".join(f"`{field.name}`" for field in dataclasses.fields(each) if field.name not in shared)
        kind = "notice" if issubclass(each, events.Notice) else "durable"
        yield f"`{each.__name__}`", kind, fields, inspect.getdoc(each) or ""


def stale(top: Path) -> list[Finding]:
    """Return where the reference differs from what the code says."""
    return differences(top, PAGE, build())


def differences(top: Path, page: Path, text: str) -> list[Finding]:
    """Return where a page differs from `text`, which is what the code says."""
    written = (top / page).read_text(encoding="utf-8").splitlines() if (top / page).is_file() else []
    made = text.splitlines()
    steps = difflib.SequenceMatcher(None, written, made, autojunk=False).get_opcodes()
    return [
        Finding(page, first + 1, f"is out of date, `make docs` mends it; the code says: {' '.join(made[start:end])}")
        for tag, first, _, start, end in steps
        if tag != "equal"
    ]


def main() -> int:
    """Check the pages that are made from the code, or write them; return 1 if one is out of date."""
    pages = {PAGE: build(), api.PAGE: api.build(endpoints())}
    if "--write" in sys.argv[1:]:
        for page, text in pages.items():
            (TOP / page).write_text(text, encoding="utf-8")
    found = [finding for page, text in pages.items() for finding in differences(TOP, page, text)]
    return report("the reference and the page of the API say what the code says", found)


if __name__ == "__main__":
    sys.exit(main())
