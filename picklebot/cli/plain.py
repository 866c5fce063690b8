"""A conversation through a pipe: each line of stdin a message, each reply plain on stdout.

Knows no colour and no cursor.
"""

import asyncio
import sys

from picklebot.channels.terminal import Reply
from picklebot.cli.beside import late_replies, run_beside
from picklebot.cli.calling import FAILED, OK
from picklebot.cli.daemon import Daemon
from picklebot.cli.dialogue import Dialogue
from picklebot.cli.lines import read_lines
from picklebot.cli.meeting import meet
from picklebot.cli.output import remark, say
from picklebot.cli.plain_view import PlainView
from picklebot.config import Config
from picklebot.core.talk import Wish
from picklebot.errors import ChannelError, NotFound, StoreFull

WAYS_OUT = frozenset({"exit", "quit", "/exit", "/quit"})


async def converse(*, config: Config, agent: str | None, session: str | None, new: bool) -> int:
    """Answer each line until there are no more; return 1 if the last one failed.

    Raises:
        PicklebotError: the conversation could not begin.
    """
    async with meet(config, role="chat") as daemon:
        for notice in daemon.notices:
            remark(notice)
        conversation = _PlainConversation(daemon)
        wish = Wish(agent=agent, session=session, new=new)
        return await run_beside(daemon, conversation.run(wish), interrupt=conversation.interrupt)


class _PlainConversation:
    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._dialogue = Dialogue(daemon)
        self._screen = asyncio.Lock()
        daemon.tell_with(remark)
        self._interrupted = False

    async def run(self, wish: Wish) -> int:
        await self._daemon.enter(wish)
        async with late_replies(self._daemon.tray, self._screen, _show_late):
            return await self._talk()

    def interrupt(self) -> bool:
        """Ctrl-C: stop the turn that runs; leave if there is none, or at the second time."""
        leave, self._interrupted = self._interrupted or not self._dialogue.stop(), True
        return leave

    async def _talk(self) -> int:
        code = OK
        async for line in read_lines(sys.stdin.fileno()):
            if line.strip().lower() in WAYS_OUT:
                break
            if line.strip():
                async with self._screen:
                    code = OK if await self._take(line) else FAILED
                self._interrupted = False
        return code

    async def _take(self, line: str) -> bool:
        view = PlainView(sys.stdout, errors=sys.stdout)
        try:
            end = await self._dialogue.say(line, view)
        except (ChannelError, NotFound, StoreFull) as exc:
            remark(f"Not accepted: {exc}.")
            return False
        self._dialogue.shown(end)
        return end.outcome != "failed"


async def _show_late(reply: Reply) -> None:
    remark("(this arrived meanwhile)")
    say(reply.content)
