"""Jobs made in conversation, in SQL.

Promises one task for one key, within the limits, and ids that are never used again. Knows no schedule's meaning.
"""

import sqlite3
from datetime import datetime
from typing import Any

from picklebot.clock import zone_named
from picklebot.errors import ToolError
from picklebot.jobs.task import NewTask, Task, TaskState
from picklebot.jobs.timing import Timing
from picklebot.store.codec import from_micros, to_micros
from picklebot.store.database import Database

PER_SESSION, IN_ALL = 200, 10_000  #: tasks that may stand open at once
_COLUMNS = "id, session_id, agent_id, place, prompt, cron, every, moment, zone, created_at, since, state, note"
_OPEN = "state IN ('active', 'waiting')"
_INSERT = f"""INSERT INTO tasks (key, session_id, agent_id, place, prompt, cron, every, moment, zone, created_at, since, state)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11) RETURNING {_COLUMNS}"""  # noqa: S608  (constants)


class SqliteTasks:
    """The table of tasks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, new: NewTask) -> Task:
        """Write a task down, once for its key.

        Raises:
            ToolError: its session, or the workspace, has as many as it may.
        """

        def unit(connection: sqlite3.Connection) -> Task:
            if (found := _by_key(connection, new.key)) is not None:
                return found
            _check_room(connection, new.session_id)
            return _insert(connection, new)

        return await self._database.write(unit)

    async def by_key(self, key: str) -> Task | None:
        """Return the task that a call has made, if it has."""
        rows = await self._database.fetch(f"SELECT {_COLUMNS} FROM tasks WHERE key = ?", (key,))  # noqa: S608
        return _task(rows[0]) if rows else None

    async def find(self, task_id: int) -> Task | None:
        """Return a task, if there is one."""
        rows = await self._database.fetch(f"SELECT {_COLUMNS} FROM tasks WHERE id = ?", (task_id,))  # noqa: S608
        return _task(rows[0]) if rows else None

    async def active(self, *, after: int = 0, limit: int = 500) -> list[Task]:
        """Return tasks that run at their times, those with a greater id than `after`, by id."""
        rows = await self._database.fetch(
            f"SELECT {_COLUMNS} FROM tasks WHERE state = 'active' AND id > ? ORDER BY id LIMIT ?",  # noqa: S608
            (after, limit),
        )
        return [_task(row) for row in rows]

    async def open(self, *, place: str | None = None, limit: int = IN_ALL) -> list[Task]:
        """Return tasks that run or wait for consent, oldest first; those of one place, or all."""
        return await self._list(_OPEN, place, limit)

    async def ended(self, *, place: str | None = None, limit: int = 20) -> list[Task]:
        """Return tasks that ran for the last time or were cancelled, newest first."""
        return (await self._list("state IN ('done', 'cancelled')", place, limit, newest=True))[:limit]

    async def settle(self, task_id: int, state: TaskState, *, note: str = "", only: TaskState | None = None) -> bool:
        """Change a task that is open, or only one that is in one state; return whether it was."""
        return await self._database.write(lambda connection: settle(connection, task_id, state, note=note, only=only))

    async def start(self, task_id: int, at: datetime) -> bool:
        """Let a task that waits be due from `at` on; return whether it waited."""

        def unit(connection: sqlite3.Connection) -> bool:
            changed = connection.execute(
                "UPDATE tasks SET state = 'active', since = ? WHERE id = ? AND state = 'waiting'",
                (to_micros(at), task_id),
            ).rowcount
            return changed > 0

        return await self._database.write(unit)

    async def homeless(self, task_id: int) -> bool:
        """Return whether the session in which a task runs is gone."""
        rows = await self._database.fetch(
            "SELECT 1 FROM tasks WHERE id = ? AND session_id IS NOT NULL AND session_id NOT IN (SELECT id FROM sessions)",
            (task_id,),
        )
        return bool(rows)

    async def remark(self, task_id: int, note: str) -> bool:
        """Note something of a task; return whether it is news."""

        def unit(connection: sqlite3.Connection) -> bool:
            changed = connection.execute(
                "UPDATE tasks SET note = ? WHERE id = ? AND note <> ?", (note, task_id, note)
            ).rowcount
            return changed > 0

        return await self._database.write(unit)

    async def _list(self, which: str, place: str | None, limit: int, *, newest: bool = False) -> list[Task]:
        where, parameters = ("AND place = ?", [place]) if place is not None else ("", list[Any]())
        order = "DESC" if newest else "ASC"
        rows = await self._database.fetch(
            f"SELECT {_COLUMNS} FROM tasks WHERE {which} {where} ORDER BY id {order} LIMIT ?",  # noqa: S608  (constants)
            [*parameters, limit],
        )
        return [_task(row) for row in rows]


def settle(
    connection: sqlite3.Connection, task_id: int, state: TaskState, *, note: str = "", only: str | None = None
) -> bool:
    """Change a task inside the caller's transaction; return whether it was open."""
    where, parameters = ("state = ?", (only,)) if only else (_OPEN, ())
    return (
        connection.execute(
            f"UPDATE tasks SET state = ?, note = ? WHERE id = ? AND {where}",  # noqa: S608  (constants)
            (state, note, task_id, *parameters),
        ).rowcount
        > 0
    )


def _by_key(connection: sqlite3.Connection, key: str) -> Task | None:
    row = connection.execute(f"SELECT {_COLUMNS} FROM tasks WHERE key = ?", (key,)).fetchone()  # noqa: S608
    return _task(row) if row else None


def _check_room(connection: sqlite3.Connection, session_id: str | None) -> None:
    for most, where, whose, parameters in (
        (PER_SESSION, "session_id = ? AND", "this session", (session_id,)),
        (IN_ALL, "", "this workspace", ()),
    ):
        count = connection.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM tasks WHERE {where} {_OPEN} LIMIT ?)",  # noqa: S608  (constants)
            (*parameters, most),
        ).fetchone()[0]
        if count >= most:
            raise ToolError(f"{whose} has {count} tasks, and may have {most}: cancel one that is not needed first")


def _insert(connection: sqlite3.Connection, new: NewTask) -> Task:
    timing = new.timing
    row = connection.execute(
        _INSERT,
        (
            *(new.key, new.session_id, new.agent_id, new.place, new.prompt, timing.cron, timing.every),
            to_micros(timing.at) if timing.at is not None else None,
            *(str(timing.zone), to_micros(new.created_at), "waiting" if new.waiting else "active"),
        ),
    ).fetchone()
    return _task(row)


def _task(row: tuple[Any, ...]) -> Task:
    number, session_id, agent_id, place, prompt, cron, every, moment, zone, created_at, since, state, note = row
    timing = Timing(
        zone=zone_named(zone),
        cron=cron,
        every=every,
        at=from_micros(moment) if moment is not None else None,
        anchor=from_micros(since),
    )
    return Task(
        id=number,
        session_id=session_id,
        agent_id=agent_id,
        place=place,
        prompt=prompt,
        timing=timing,
        created_at=from_micros(created_at),
        state=state,
        note=note,
    )
