"""Gates: a command of the owner's that says whether a job is begun now.

Promises the limits and the clean environment of the bash tool, since it is that tool that runs it. Knows no schedule.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_hex

from picklebot.core.text import clean, shorten
from picklebot.errors import ToolError
from picklebot.jobs.job import Job
from picklebot.tools.base import Tool, ToolContext

SECONDS = 60.0
MAX_OUTPUT = 16_000  #: characters of what it wrote that the agent is shown
_SESSION = "gates"  # all of them share a tool process


@dataclass(frozen=True, slots=True)
class Answer:
    """`opens`: the job is begun, and the agent is told `text`, which is what the command wrote. Else: why not."""

    opens: bool
    text: str


class Gates:
    """Asks gates."""

    def __init__(self, shell: Tool | None, rules: Mapping[str, str]) -> None:
        self._shell = shell
        self._denied = rules.get("bash") == "deny"

    async def ask(self, job: Job, gate: str, key: str) -> Answer:
        """Run the gate of a job in the workspace."""
        if self._shell is None or self._denied:
            return Answer(opens=False, text="its gate cannot be asked: the bash tool is denied in config.yaml")
        # The tool tells how a command ended in words; a mark that nobody can guess says it without a doubt.
        mark = token_hex(8)
        command = f"bash -c {shlex.quote(gate)} 2>/dev/null; printf '\\n%s %d\\n' {mark} $?"
        context = ToolContext(
            session_id=_SESSION, agent_id=job.agent_id, source=job.source, key=f"{key}:gate", cause_id=key
        )
        try:
            said = await self._shell.run(context, {"command": command, "timeout": SECONDS})
        except ToolError as exc:
            return Answer(opens=False, text=f"its gate could not be asked: {shorten(str(exc), 300)}")
        output, found, ending = str(said).rpartition(f"\n{mark} ")
        if not found:
            return Answer(opens=False, text=f"its gate came to no end: {shorten(str(said)[-300:], 200)}")
        code = ending.split()[0]
        if code != "0":
            return Answer(opens=False, text=f"its gate said no, with exit code {code}")
        return Answer(opens=True, text=_capped(clean(output).strip()))


def _capped(text: str) -> str:
    cut = len(text) - MAX_OUTPUT
    return text if cut <= 0 else f"{text[:MAX_OUTPUT]}\n[{cut:,} more characters]"
