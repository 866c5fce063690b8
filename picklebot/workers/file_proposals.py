"""Files that steer agents, as agents propose to change them: checked at once, and shown as a difference.

Promises that what is put before the owner is a file which would be read as meant, and that its title says what would
change. Changes no file. Knows no tool process.
"""

import asyncio
import difflib
import hashlib
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta

from picklebot.core.proposals import Asking, Proposal, propose
from picklebot.core.source import Source
from picklebot.core.text import shorten
from picklebot.definitions.agents import AgentSpec
from picklebot.definitions.checking import Checked, check_file
from picklebot.definitions.crons import CronSpec
from picklebot.definitions.skills import SkillSpec
from picklebot.errors import DefinitionError, ToolError
from picklebot.jobs.rate import most_in_an_hour
from picklebot.jobs.timing import timing_of
from picklebot.store.base import Proposals
from picklebot.tools.base import ToolContext

KIND = "file"
_NAMES = {"agent": "agent", "cron": "job", "skill": "skill", None: "prompt file"}
_COMPARED = 4_000  #: lines; longer files are shown whole, because to compare them takes too long


async def _tell_nobody(proposal: Proposal) -> None: ...


class FileProposals:
    """What the file tools turn a refused write into. `tell` reaches the owner when the asking place is not theirs."""

    def __init__(
        self,
        *,
        proposals: Proposals,
        is_owner: Callable[[Source], bool],
        now: Callable[[], datetime],
        tell: Callable[[Proposal], Awaitable[None]] = _tell_nobody,
    ) -> None:
        self._proposals = proposals
        self._is_owner = is_owner
        self._now = now
        self._tell = tell

    async def propose(self, context: ToolContext, path: str, before: str | None, after: str) -> str:
        """Put a change of the file at `path` before the owner; return words for the model.

        Raises:
            ToolError: it changes nothing, or the file would not be read as meant.
        """
        if after == (before or ""):
            raise ToolError(f"{path} holds exactly that already" if after else f"there is no {path} to remove")
        try:
            checked = await asyncio.to_thread(check_file, path.split("/"), after)
        except DefinitionError as exc:
            raise ToolError(f"not proposed, because it would not work: {exc}. Mend it and write it again") from exc
        draft = await asyncio.to_thread(_draft, context, path, (before, after), checked, self._now())
        made = await self._proposals.propose(draft)
        return await self._told(made, checked)

    async def _told(self, made: Proposal, checked: Checked) -> str:
        if made.state != "open":
            return f"Proposed before as {made.id}, which was {made.state}: {made.title}. {made.outcome}"
        notes = f"\nNotes on the file: {'; '.join(checked.notes)}" if checked.notes else ""
        if self._is_owner(made.source):
            answer = f"Tell the user what it is, and to answer with /approve {made.id} or /deny {made.id}."
        else:
            await self._tell(made)
            answer = (
                "Only the owner can agree, and not in this conversation: tell the user that it waits for the owner."
            )
        return f"Proposed as {made.id}, and NOT in force: {made.title}. {answer}{notes}"


def _draft(context: ToolContext, path: str, texts: tuple[str | None, str], checked: Checked, now: datetime) -> Proposal:
    before, after = texts
    removes = checked.defines and not after.strip()
    if removes and before is None:
        raise ToolError(f"there is no {path} to remove")
    body = {
        "path": path,
        "before": None if before is None else fingerprint(before.encode()),
        "after": None if removes else after,
    }
    asking = Asking(session_id=context.session_id, source=context.source, key=context.key, at=now)
    title = _title(path, checked, now, change="Remove" if removes else "New" if before is None else "Change")
    return propose(KIND, body, asking, title=title, details="\n".join(_details(path, before, after)), about=path)


def fingerprint(content: bytes) -> str:
    """Return what tells a file's content from any other."""
    return hashlib.sha256(content).hexdigest()


def _title(path: str, checked: Checked, now: datetime, *, change: str) -> str:
    name = _NAMES[checked.kind]
    if checked.kind is None or not checked.defines:
        whose = f" of the {name} {checked.id}" if checked.kind else ""
        return shorten(f"{change} file {path}{whose}", 300)
    about = _about(checked.spec, now)
    return shorten(f"{change} {name} {checked.id}" + (f": {about}" if about else ""), 390)


def _about(spec: AgentSpec | CronSpec | SkillSpec | None, now: datetime) -> str:
    match spec:
        case CronSpec():
            return when(spec, now)
        case AgentSpec() | SkillSpec():
            return spec.description
        case None:
            return ""


def when(spec: CronSpec, now: datetime) -> str:
    """Return when a job would fire, and how often at its busiest, in words."""
    zone = f" in {spec.timezone}" if spec.timezone else ""
    often = most_in_an_hour(timing_of(spec, zone=now.tzinfo or UTC, anchor=now), start=now)
    if spec.at is not None:
        told = f"once, at {spec.at}{zone}"
    else:
        told = f"every {timedelta(seconds=spec.every)} (h:mm:ss)" if spec.every else f"on {spec.schedule}{zone}"
        told += f", up to {often} times an hour" if often > 1 else ""
    return told + ("" if spec.enabled else ", switched off")


def _details(path: str, before: str | None, after: str) -> Iterator[str]:
    old, new = (before or "").splitlines(), after.splitlines()
    if not after.strip():
        yield f"{path} is removed. It holds:"
        new = old
    if before is None or not after.strip() or len(old) + len(new) > _COMPARED:
        yield from (f"{path}:", "", *new) if after.strip() else ("", *new)
        return
    yield from difflib.unified_diff(old, new, fromfile=path, tofile=f"{path} (proposed)", lineterm="")
