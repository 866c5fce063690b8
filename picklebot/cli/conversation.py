"""A conversation at a prompt: greet, read, show the turn, again.

Promises that Ctrl-C stops the turn that runs, and a second one leaves; that what arrives while nobody waits for it is
printed above the prompt; and that leaving ends everything in good order. Knows no SQL and no model.
"""

import asyncio
import sys
import termios
from collections.abc import Generator
from contextlib import contextmanager

from rich.text import Text

from picklebot.channels.terminal import Reply
from picklebot.cli.beside import late_replies, run_beside
from picklebot.cli.calling import INTERRUPTED, OK
from picklebot.cli.daemon import Daemon
from picklebot.cli.dialogue import Dialogue
from picklebot.cli.markdown import open_console, render
from picklebot.cli.meeting import meet
from picklebot.cli.output import many_lines
from picklebot.cli.prompt import HINT, Interrupted, LinePrompt
from picklebot.cli.view import TerminalView, ToolLines
from picklebot.config import Config
from picklebot.core.talk import Place, Wish
from picklebot.core.text import shorten
from picklebot.errors import ChannelError, NotFound, StoreFull

SHORT_ID = 10  #: characters of a session's id that tell it apart
LAST_LINES = 6  #: of the last reply, when a conversation goes on
WAYS_OUT = frozenset({"exit", "quit", "/exit", "/quit"})


async def converse(*, config: Config, line: LinePrompt, agent: str | None, session: str | None, new: bool) -> int:
    """Talk until the person leaves; return the exit code.

    Raises:
        PicklebotError: the conversation could not begin.
    """
    async with meet(config, role="chat") as daemon:
        conversation = _Conversation(daemon, line)
        wish = Wish(agent=agent, session=session, new=new)
        return await run_beside(daemon, conversation.run(wish), interrupt=conversation.interrupt)


class _Conversation:
    def __init__(self, daemon: Daemon, line: LinePrompt) -> None:
        self._daemon = daemon
        self._line = line
        self._dialogue = Dialogue(daemon)
        self._console = open_console()
        self._screen = asyncio.Lock()
        daemon.tell_with(self._tell)

    async def run(self, wish: Wish) -> int:
        await self._greet(wish)
        async with late_replies(self._daemon.tray, self._screen, self._show_late):
            return await self._talk()

    def interrupt(self) -> bool:
        """Ctrl-C while no key is read: stop the turn; the second time, leave."""
        if self._line.interrupts.press():
            return True
        if not self._dialogue.stop():
            self._console.print(Text(HINT, style="dim"))
        return False

    async def _talk(self) -> int:
        while True:
            try:
                text = await self._line.read()
            except EOFError:
                return OK
            except Interrupted:
                return INTERRUPTED
            if text.strip().lower() in WAYS_OUT:
                return OK
            if text.strip():
                async with self._screen:
                    with quiet_keys():
                        await self._say(text)
                self._refresh(await self._daemon.place())

    async def _say(self, text: str) -> None:
        view = TerminalView(self._console, notes=self._console, tools=ToolLines(self._console), lead=True)
        try:
            self._dialogue.shown(await self._dialogue.say(text, view))
        except (ChannelError, NotFound, StoreFull) as exc:
            self._console.print(Text(f"\nNot accepted: {exc}.", style="red"))
        self._console.print()

    def _tell(self, words: str) -> None:
        if not self._dialogue.note(words):
            self._line.announce(lambda: self._console.print(Text(f"({words})", style="yellow")))

    async def _greet(self, wish: Wish) -> None:
        place = await self._daemon.enter(wish)
        notices = [Text(notice, style="yellow") for notice in self._daemon.notices]
        lines = [_greeting(place), *notices, *self._last_exchange(place)]
        words = await self._daemon.words()
        self._line.completions.learn(commands=words.commands, agents=words.agents)

        def show() -> None:
            for line in lines:
                self._console.print(line)
            self._console.print()

        await self._line.above(show)
        self._refresh(place)

    def _last_exchange(self, place: Place) -> list[Text]:
        lines: list[Text] = []
        if place.asked:
            lines += [Text(""), Text(f"› {shorten(many_lines(place.asked), 200)}", style="dim")]
        if place.answered:
            answer = [Text.from_ansi(line).plain for line in render(self._console, place.answered)]
            cut = [*answer[:LAST_LINES], "…"] if len(answer) > LAST_LINES else answer
            lines += [Text(""), *(Text(line, style="dim") for line in cut)]
        return lines

    def _refresh(self, place: Place) -> None:
        """Bring the toolbar up to date: a command may have changed who answers."""
        session = place.session_id[:SHORT_ID] if place.session_id else "new session"
        self._line.refresh(" · ".join(part for part in (place.agent_id, session, place.model) if part))

    async def _show_late(self, reply: Reply) -> None:
        def show() -> None:
            self._console.print(Text("(this arrived meanwhile)", style="dim"))
            self._console.print()
            print(*render(self._console, reply.content), sep="\n")
            print(flush=True)

        await self._line.above(show)


def _greeting(place: Place) -> Text:
    turns = place.turns if place.session_id else 0
    state = f"going on after {turns} turn{'s' * (turns != 1)}" if turns else "a new session"
    return Text.assemble((place.agent_id, "bold"), (f" · {state} · /help for help, Ctrl-D leaves", "dim"))


@contextmanager
def quiet_keys() -> Generator[None, None, None]:
    """Keep keys that are pressed meanwhile off the screen; they wait for the next prompt."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    quiet = termios.tcgetattr(descriptor)
    quiet[3] &= ~termios.ECHO
    termios.tcsetattr(descriptor, termios.TCSADRAIN, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
