"""What the workspace holds, to be read: agents, jobs, notes, what is wrong with it, and what waits for the owner.

Promises that whatever reads files does so off the loop. Knows no file.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from picklebot.gateway import shown
from picklebot.gateway.endpoint import Endpoint, Given, query_of
from picklebot.gateway.refusals import reply, reply_large
from picklebot.memory.base import Note, Recall

Rows: TypeAlias = Sequence[Mapping[str, Any]]

MOST_INSTANTS, MOST_NOTES = 500, 100  #: in one answer


class HistoryQuery(Given):
    """How many instants."""

    limit: int = Field(default=50, ge=1, le=MOST_INSTANTS)


class NoteQuery(Given):
    """Which notes."""

    q: str | None = Field(default=None, min_length=1, max_length=1000, description="What to look for; else the latest.")
    limit: int = Field(default=20, ge=1, le=MOST_NOTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelves:
    """Where the rows come from. `history` raises `NotFound` for a job that nobody knows."""

    agents: Callable[[], Rows]
    crons: Callable[[], Awaitable[Rows]]
    history: Callable[[str, int], Awaitable[Rows]]
    tasks: Callable[[], Awaitable[Rows]]
    proposals: Callable[[], Awaitable[Rows]]
    findings: Callable[[], Awaitable[Rows]]


class Holdings:
    """The part of the API that reads the workspace."""

    def __init__(self, *, shelves: Shelves, recall: Recall) -> None:
        self._shelves = shelves
        self._recall = recall

    def endpoints(self) -> list[Endpoint]:
        """Return the routes."""
        return [
            Endpoint(
                method="GET",
                path="/api/agents",
                answer=self._agents,
                summary="The agents in force.",
                shape=shown.AgentsShown,
            ),
            Endpoint(
                method="GET",
                path="/api/crons",
                answer=self._crons,
                summary="The jobs in force, and when each is next.",
                shape=shown.CronsShown,
            ),
            Endpoint(
                method="GET",
                path="/api/crons/{id}/history",
                answer=self._history,
                summary="What became of a job's last instants.",
                query=HistoryQuery,
                shape=shown.HistoryShown,
            ),
            Endpoint(
                method="GET",
                path="/api/tasks",
                answer=self._tasks,
                summary="Jobs made in conversation.",
                shape=shown.TasksShown,
            ),
            Endpoint(
                method="GET",
                path="/api/proposals",
                answer=self._proposals,
                summary="What waits for the owner's answer, whole.",
                shape=shown.ProposalsShown,
            ),
            Endpoint(
                method="GET",
                path="/api/memory",
                answer=self._memory,
                summary="Notes: the latest, or those that fit `q` best.",
                query=NoteQuery,
                shape=shown.NotesShown,
            ),
            Endpoint(
                method="GET",
                path="/api/doctor",
                answer=self._doctor,
                summary="What `picklebot doctor` finds.",
                shape=shown.FindingsShown,
            ),
        ]

    async def _agents(self, request: Request) -> Response:
        return reply({"agents": self._shelves.agents()})

    async def _crons(self, request: Request) -> Response:
        return reply({"crons": await self._shelves.crons()})

    async def _history(self, request: Request) -> Response:
        limit = query_of(request, HistoryQuery).limit
        return reply({"history": await self._shelves.history(request.path_params["id"], limit)})

    async def _tasks(self, request: Request) -> Response:
        return reply({"tasks": await self._shelves.tasks()})

    async def _proposals(self, request: Request) -> Response:
        found = await self._shelves.proposals()
        return await reply_large(lambda: {"proposals": found})

    async def _memory(self, request: Request) -> Response:
        query = query_of(request, NoteQuery)
        if query.q is None:
            latest = await self._recall.latest(query.limit)
            return reply({"notes": [_note(note) for note in latest], "problems": []})
        found = await self._recall.search(query.q, query.limit)
        return reply({"notes": [_note(note) for note in found.notes], "problems": list(found.problems)})

    async def _doctor(self, request: Request) -> Response:
        findings = await self._shelves.findings()
        return reply({"ok": all(each["level"] != "error" for each in findings), "findings": findings})


def _note(note: Note) -> dict[str, Any]:
    return {
        "path": note.path,
        "line": note.line,
        "content": note.content,
        "at": note.at.isoformat() if note.at else None,
        "origin": note.origin,
        "by": note.by,
        "outside": note.outside,
    }
