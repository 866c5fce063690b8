"""Ask once: the reply on stdout, everything else on stderr.

Promises that a reply counts as delivered only after it was written and flushed. Knows no keyboard.
"""

import asyncio
import sys
from typing import assert_never, cast

from picklebot.cli.beside import run_beside
from picklebot.cli.calling import BAD_CONFIG, FAILED, INTERRUPTED, MODEL, OK, REFUSED, TEMPORARY
from picklebot.cli.daemon import Daemon
from picklebot.cli.dialogue import Dialogue, TurnEnd
from picklebot.cli.meeting import meet
from picklebot.cli.output import print_json, remark
from picklebot.cli.plain_view import PlainView, SilentView, View
from picklebot.cli.quiet import log_to_file
from picklebot.config import Config
from picklebot.core.text import MAX_CONTENT
from picklebot.errors import ChannelError
from picklebot.plugins import load

_BY_KIND = {
    "ModelError": MODEL,
    "ModelUnavailable": MODEL,
    "ModelRejected": MODEL,
    "ContextTooLong": MODEL,
    "LimitReached": REFUSED,
    "DaySpent": REFUSED,
    "ConfigError": BAD_CONFIG,
}


def ask(*, config: Config, text: str, agent: str | None, session: str | None, as_json: bool) -> int:
    """Ask `text` ("-" reads it from stdin), and print the reply; return the exit code.

    Raises:
        PicklebotError: it could not be asked.
    """
    content = _read_stdin() if text == "-" else text
    if not content.strip():
        raise ChannelError("there is nothing to ask: the text is empty")
    log_to_file(config)
    return asyncio.run(_ask(config, content, agent=agent, session=session, as_json=as_json))


def _read_stdin() -> str:
    raw = sys.stdin.buffer.read(4 * MAX_CONTENT + 1)
    content = raw.decode("utf-8", "replace").rstrip("\r\n")
    if len(content) > MAX_CONTENT:
        raise ChannelError(f"stdin has more than {MAX_CONTENT:,} characters, which is as much as one message may have")
    return content


async def _ask(config: Config, content: str, *, agent: str | None, session: str | None, as_json: bool) -> int:
    async with meet(config, role="ask") as daemon:
        for notice in daemon.notices:
            remark(notice)
        question = _Question(daemon, as_json=as_json)
        put = question.put(content, agent=agent, session=session)
        return await run_beside(daemon, put, interrupt=question.interrupt)


class _Question:
    """One question, and Ctrl-C while it is answered."""

    def __init__(self, daemon: Daemon, *, as_json: bool) -> None:
        self._daemon = daemon
        self._dialogue = Dialogue(daemon)
        self._as_json = as_json
        daemon.tell_with(remark)
        self._interrupted = False

    async def put(self, content: str, *, agent: str | None, session: str | None) -> int:
        if session is not None:
            session = await self._daemon.find(session)
        end = await self._dialogue.say(content, _view(as_json=self._as_json), agent=agent, session=session)
        if self._as_json:
            await self._print_json(end)
        self._dialogue.shown(end)
        return INTERRUPTED if self._interrupted else _exit_code(end)

    def interrupt(self) -> bool:
        """Ctrl-C: stop the turn; leave if there is none, or at the second time."""
        leave, self._interrupted = self._interrupted or not self._dialogue.stop(), True
        return leave

    async def _print_json(self, end: TurnEnd) -> None:
        bill = await self._daemon.bill(end.accepted.event_id, end.accepted.session_id)
        document = {
            "event_id": end.accepted.event_id,
            "session_id": end.accepted.session_id,
            "agent": bill.agent_id,
            "reply": end.reply,
            "error": end.error,
            "usage": {
                "input_tokens": bill.input_tokens,
                "output_tokens": bill.output_tokens,
                "cost_usd": bill.cost_usd,
            },
        }
        print_json(document)


def _view(*, as_json: bool) -> View:
    if sys.stdout.isatty() or sys.stderr.isatty():
        return cast("View", load("picklebot.cli.ask_view:for_terminal", as_json=as_json))
    return SilentView(sys.stdout, errors=sys.stderr) if as_json else PlainView(sys.stdout, errors=sys.stderr)


def _exit_code(end: TurnEnd) -> int:
    match end.outcome:
        case "done":
            return OK
        case "stopped":
            return INTERRUPTED
        case "parked":
            return _BY_KIND.get(end.kind, TEMPORARY)
        case "failed":
            return _BY_KIND.get(end.kind, FAILED)
        case _:
            assert_never(end.outcome)
