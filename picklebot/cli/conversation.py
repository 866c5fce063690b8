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

from picklebot.agent.prompt import spoken
from picklebot.app import App, open_app
from picklebot.channels.terminal import Reply, TerminalChannel, whoami
from picklebot.cli.beside import late_replies, run_beside
from picklebot.cli.calling import INTERRUPTED, OK
from picklebot.cli.dialogue import Dialogue, Wish, agent_of, enter
from picklebot.cli.markdown import open_console, render
from picklebot.cli.output import many_lines
from picklebot.cli.prompt import HINT, Interrupted, LinePrompt
from picklebot.cli.view import TerminalView, ToolLines
from picklebot.config import Config, resolve_provider
from picklebot.core.text import shorten
from picklebot.errors import ChannelError, NotFound, StoreFull
from picklebot.store.base import Session

SHORT_ID = 10  #: characters of a session's id that tell it apart
LAST_LINES = 6  #: of the last reply, when a conversation goes on
WAYS_OUT = frozenset({"exit", "quit", "/exit", "/quit"})


async def converse(*, config: Config, line: LinePrompt, agent: str | None, session: str | None, new: bool) -> int:
    """Talk until the person leaves; return the exit code.

    Raises:
        PicklebotError: the conversation could not begin.
    """
    channel = TerminalChannel(whoami())
    async with open_app(config, channels=[channel], role="chat") as app:
        wish = Wish(agent=agent, session=session, new=new)
        conversation = _Conversation(app, channel, line)
        return await run_beside(app, channel, conversation.run(wish), interrupt=conversation.interrupt)


class _Conversation:
    def __init__(self, app: App, channel: TerminalChannel, line: LinePrompt) -> None:
        self._app = app
        self._channel = channel
        self._line = line
        self._dialogue = Dialogue(app, channel)
        self._console = open_console()
        self._screen = asyncio.Lock()

    async def run(self, wish: Wish) -> int:
        await self._greet(wish)
        async with late_replies(self._channel, self._screen, self._show_late):
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
                await self._refresh()

    async def _say(self, text: str) -> None:
        view = TerminalView(self._console, notes=self._console, tools=ToolLines(self._console), lead=True)
        try:
            self._dialogue.shown(await self._dialogue.say(text, view))
        except (ChannelError, NotFound, StoreFull) as exc:
            self._console.print(Text(f"\nNot accepted: {exc}.", style="red"))
        self._console.print()

    async def _greet(self, wish: Wish) -> None:
        session = await enter(self._app, self._channel, wish)
        agent_id = await agent_of(self._app, self._channel)
        lines = [_greeting(agent_id, session), *(Text(notice, style="yellow") for notice in self._app.notices)]
        if session is not None and session.turns:
            lines += await self._last_exchange(session)
        self._line.completions.learn(
            commands=[(c.name, c.usage, c.summary) for c in self._app.staff.commands.known],
            agents=[(spec.id, shorten(spec.description, 60)) for spec in self._app.library.agents.values()],
        )

        def show() -> None:
            for line in lines:
                self._console.print(line)
            self._console.print()

        await self._line.above(show)
        await self._refresh()

    async def _last_exchange(self, session: Session) -> list[Text]:
        said = [message for message in await self._app.store.sessions.transcript(session.id) if spoken(message).strip()]
        asked = next((message for message in reversed(said) if message.role == "user"), None)
        lines = [Text("")]
        if asked is not None:
            lines.append(Text(f"› {shorten(many_lines(spoken(asked)), 200)}", style="dim"))
        if said and said[-1].role == "assistant":
            answer = [Text.from_ansi(line).plain for line in render(self._console, spoken(said[-1]))]
            cut = [*answer[:LAST_LINES], "…"] if len(answer) > LAST_LINES else answer
            lines += [Text(""), *(Text(line, style="dim") for line in cut)]
        return lines

    async def _refresh(self) -> None:
        """Bring the toolbar up to date: a command may have changed who answers."""
        session = await self._app.store.sessions.current(self._channel.source)
        agent_id = await agent_of(self._app, self._channel)
        parts = [agent_id, session.id[:SHORT_ID] if session else "new session", self._model(agent_id)]
        self._line.refresh(" · ".join(part for part in parts if part))

    def _model(self, agent_id: str) -> str:
        spec = self._app.library.agents.get(agent_id)
        if spec is None or resolve_provider(self._app.config) == "offline":
            return "offline" if spec else ""
        return spec.model.name or self._app.config.model.name

    async def _show_late(self, reply: Reply) -> None:
        def show() -> None:
            self._console.print(Text("(this arrived meanwhile)", style="dim"))
            self._console.print()
            print(*render(self._console, reply.content), sep="\n")
            print(flush=True)

        await self._line.above(show)


def _greeting(agent_id: str, session: Session | None) -> Text:
    turns = session.turns if session else 0
    state = f"going on after {turns} turn{'s' * (turns != 1)}" if turns else "a new session"
    return Text.assemble((agent_id, "bold"), (f" · {state} · /help for help, Ctrl-D leaves", "dim"))


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
