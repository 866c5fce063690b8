"""Notes, read and saved by programs: what the memory tools do, for those who hold the token.

Promises that saving a note twice keeps it once. Knows no file.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from picklebot.core.text import clean
from picklebot.errors import ChannelError, StoreFull
from picklebot.gateway.endpoint import Endpoint, Given, body_of, query_of
from picklebot.gateway.entrance import NOBODY, Entrance
from picklebot.gateway.frames import ClientName
from picklebot.gateway.refusals import reply, reply_large

MAX_TOPIC, MAX_NOTE = 200, 100_000  #: characters


class NotePlace(Given):
    """Which file of notes."""

    path: str = Field(min_length=1, max_length=1000, description="Below `memories/`, such as `topics/tea.md`.")


class NoteGiven(Given):
    """What to remember. The same note again is the same note."""

    topic: str = Field(min_length=1, max_length=MAX_TOPIC)
    content: str = Field(min_length=1, max_length=MAX_NOTE)
    client: ClientName = NOBODY


class NoteFile(BaseModel):
    """A file of notes, whole."""

    path: str
    content: str


class NoteSaved(BaseModel):
    """Where a note is."""

    path: str


class Notebook(Protocol):
    """What keeps notes."""

    async def save(
        self, topic: str, content: str, *, at: datetime, origin: str, by: str = "", outside: bool = False
    ) -> str:
        """Keep a note, once; return its path. ValueError: it cannot be kept, in words."""
        ...

    async def read(self, path: str) -> str:
        """Return a file of notes. NotFound: there is none."""
        ...


class NoteDesk:
    """The part of the API that reads a file of notes, and saves one."""

    def __init__(self, *, notebook: Notebook, entrance: Entrance, now: Callable[[], datetime]) -> None:
        self._notebook = notebook
        self._entrance = entrance
        self._now = now

    def endpoints(self) -> list[Endpoint]:
        """Return the routes."""
        return [
            Endpoint(
                method="GET",
                path="/api/memory/file",
                answer=self._read,
                summary="One file of notes.",
                query=NotePlace,
                shape=NoteFile,
            ),
            Endpoint(
                method="POST",
                path="/api/memory",
                answer=self._save,
                summary="Remember something. The same note again is the same note.",
                body=NoteGiven,
                shape=NoteSaved,
            ),
        ]

    async def _read(self, request: Request) -> Response:
        path = query_of(request, NotePlace).path
        content = await self._notebook.read(path)
        return await reply_large(lambda: {"path": path, "content": content})

    async def _save(self, request: Request) -> Response:
        given = await body_of(request, NoteGiven)
        origin = str(self._entrance.source(given.client))
        try:
            path = await self._notebook.save(
                clean(given.topic), clean(given.content), at=self._now(), origin=origin, by="", outside=False
            )
        except ValueError as exc:
            raise ChannelError(str(exc)) from exc
        except OSError as exc:
            raise StoreFull(f"the note could not be saved: {exc.strerror}") from exc
        return reply({"path": path})
