"""The agent's side of the protocol: messages come in as files, and what is said goes out as files.

Promises that what was said is whole or not there, and that no message is handed out twice. It is copied to where
external agents run, so it imports the standard library alone, and of that only what starts quickly.
"""

import asyncio
import itertools
import json
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

PAUSE = 0.05  #: seconds between two looks into the folder
_numbers = itertools.count()


class Message:
    """What somebody wrote, and the way to answer."""

    def __init__(self, folder: Path, given: "dict[str, str]") -> None:
        self.content: str = given["content"]
        self.source: str = given["source"]
        self.session_id: str = given["session_id"]
        self.event_id: str = given["event_id"]
        self._folder = folder

    def say(self, content: str, *, channel: "str | None" = None) -> None:
        """Send something that is not the answer yet."""
        self._write(content, final=False, channel=channel)

    def reply(self, content: str = "", *, channel: "str | None" = None) -> None:
        """Answer this message, and all that came before it. Without content there is nothing more to say."""
        self._write(content, final=True, channel=channel)

    def _write(self, content: str, *, final: bool, channel: "str | None") -> None:
        said: dict[str, object] = {"content": content, "final": final, "event_id": self.event_id}
        if channel is not None:
            said["channel"] = channel
        name = f"{time.time_ns()}-{next(_numbers)}.json"
        draft = self._folder / "messages" / f".{name}"
        draft.write_text(json.dumps(said), encoding="utf-8")
        draft.rename(self._folder / "messages" / name)


class Inbox:
    """The messages for this program, in their order; iterate over it, with `async for` in a coroutine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def closed(self) -> bool:
        """Whether the program is asked to finish up and exit."""
        return (self._folder / "_close").exists()

    def take(self) -> "Message | None":
        """Return the next message if one is there, such as a follow-up to the one in hand; wait for none."""
        names = [name for name in os.listdir(self._folder / "input") if name.endswith(".json") and name[0] != "."]  # noqa: PTH208  # names alone
        if not names:
            return None
        path = self._folder / "input" / min(names, key=_place)
        message = Message(self._folder, json.loads(path.read_text(encoding="utf-8")))
        path.unlink()  # read: a message that is there again after a restart was not answered
        return message

    def __iter__(self) -> "Iterator[Message]":
        while not self.closed:
            if (message := self.take()) is not None:
                yield message
            else:
                time.sleep(PAUSE)

    async def __aiter__(self) -> "AsyncIterator[Message]":
        while not self.closed:
            if (message := self.take()) is not None:
                yield message
            else:
                await asyncio.sleep(PAUSE)


def inbox() -> Inbox:
    """Return the inbox of the program that calls this."""
    return Inbox(Path(os.environ.get("PICKLEBOT_IPC", "ipc")))


def _place(name: str) -> "tuple[int, int]":
    moment, _, number = name.removesuffix(".json").partition("-")
    return int(moment), int(number)
