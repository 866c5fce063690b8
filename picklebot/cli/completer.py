"""What the Tab key offers: slash commands, and agents after `/agent ` and `@`.

Knows nothing until it is told, so that the prompt can be there first.
"""

import re
from collections.abc import Iterable, Sequence

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

_COMMAND = re.compile(r"/([a-z_-]*)")
_AGENT = re.compile(r"(?:/agent\s+|(?:.*\s)?@)([A-Za-z0-9_-]*)", re.DOTALL)


class Completions(Completer):
    """Completes the word before the cursor."""

    def __init__(self) -> None:
        self._commands: Sequence[tuple[str, str, str]] = ()
        self._agents: Sequence[tuple[str, str]] = ()

    def learn(self, *, commands: Iterable[tuple[str, str, str]], agents: Iterable[tuple[str, str]]) -> None:
        """Know these from now on: commands as (name, usage, summary), agents as (id, description)."""
        self._commands, self._agents = tuple(commands), tuple(agents)

    def apply_to(self, document: Document) -> bool:
        """Return whether the cursor stands where something may be completed."""
        before = document.text_before_cursor
        return bool(_COMMAND.fullmatch(before) or _AGENT.fullmatch(before))

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Yield what the word may become."""
        before = document.text_before_cursor
        if match := _COMMAND.fullmatch(before):
            for name, usage, summary in self._commands:
                if name.startswith(match[1]):
                    ending = " " if usage else ""
                    yield Completion(
                        f"/{name}{ending}",
                        start_position=-len(before),
                        display=f"/{name} {usage}".rstrip(),
                        display_meta=summary,
                    )
        elif match := _AGENT.fullmatch(before):
            for agent_id, description in self._agents:
                if agent_id.startswith(match[1]):
                    yield Completion(agent_id, start_position=-len(match[1]), display_meta=description)
