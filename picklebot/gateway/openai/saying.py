"""What a client hears of a turn while it runs: text that only ever grows.

Promises that what was said, in the order said, ends with the whole reply, however the turn went; tools show only as
the break between what was said before and after them. Knows no encoding and no socket.
"""

from picklebot.core.events import TextDelta, ToolStarted

BREAK = "\n\n"


class Saying:
    """Turns what happens into pieces of text."""

    def __init__(self) -> None:
        self._said = False  # anything at all
        self._step = ""  # what was said since the last break
        self._apart = False  # what comes next begins a new paragraph

    def hear(self, event: TextDelta | ToolStarted) -> str:
        """Return what is to be said now, "" for nothing."""
        if isinstance(event, ToolStarted):
            self._pause()
            return ""
        if event.restart:  # what was said cannot be taken back
            self._pause()
        return self._say(event.text)

    def end(self, reply: str) -> str:
        """Return what of the reply was not said yet."""
        said = self._step
        if reply.startswith(said):
            return self._say(reply[len(said) :])
        if _squeezed(said).endswith(_squeezed(reply)):
            return ""
        self._pause()
        return self._say(reply)

    def _pause(self) -> None:
        self._apart = self._said
        self._step = ""

    def _say(self, text: str) -> str:
        if not text:
            return ""
        lead = BREAK if self._apart else ""
        self._said, self._apart = True, False
        self._step += text
        return lead + text


def _squeezed(text: str) -> str:
    return "".join(text.split())
