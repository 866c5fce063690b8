"""`picklebot crons run|pause|resume|history`: what a person does with jobs.

Promises that the database keeps its one writer. Beside a daemon, a request is left in the state folder and the daemon
is rung with SIGHUP; it looks there at its start too, so that a request which was left is never lost. Where nothing
runs, a job cannot be begun, and pausing writes at once.
"""

import asyncio
import os
import signal
import time
from contextlib import suppress

from picklebot.cli.calling import FAILED, NO_DAEMON, OK, TEMPORARY
from picklebot.cli.output import local, print_json, print_table, remark, say
from picklebot.cli.reading import reading, reading_something
from picklebot.cli.writing import writing
from picklebot.clock import SystemClock, zone_named
from picklebot.config import Config
from picklebot.core.source import Source
from picklebot.definitions.library import Library
from picklebot.definitions.values import nearest
from picklebot.errors import NotFound
from picklebot.jobs.heartbeat import CHANNEL as HEARTBEAT
from picklebot.jobs.job import CRON
from picklebot.jobs.task import PREFIX, task_id
from picklebot.lock import Holder, holder_of
from picklebot.shapes import instant_json
from picklebot.store.base import InstantReport
from picklebot.store.sqlite import SqliteStore
from picklebot.workers.requests import Request, RequestFolder, What

PATIENCE = 10.0  #: seconds in which a daemon takes a request
_STEP = 0.05


def run(*, config: Config, name: str) -> int:
    """Begin a job now, in the daemon."""
    job_id = _existing(config, name)
    holder = holder_now(config)
    if holder is None or holder.role != "server":
        what = f"a picklebot {holder.role} runs here, and" if holder else "nothing runs here:"
        remark(f"picklebot: {what} jobs are begun by the daemon: start it with `picklebot server`")
        return NO_DAEMON
    request = _request("run", job_id)
    if not ask(config, request, holder):
        remark(f"The daemon has not taken it within {PATIENCE:.0f} s; it will. `picklebot crons history {name}` tells.")
        return TEMPORARY
    instant = _instant(config, request)
    if instant is None:
        remark(f"The daemon knows no job {name!r}; `picklebot doctor` says whether its file can be read.")
        return FAILED
    if instant.event_id is not None:
        say(instant.event_id)
        return OK
    remark(f"{name}: {instant.reason}.")
    return OK if instant.open else FAILED


def pause(*, config: Config, name: str) -> int:
    """Begin a job no more until it is resumed."""
    return _change(config, name, "pause")


def resume(*, config: Config, name: str) -> int:
    """Let a job go on, counted from now."""
    return _change(config, name, "resume")


def history(*, config: Config, name: str, limit: int, as_json: bool) -> int:
    """List what became of a job's instants, the newest last."""
    job_id = _job_id(name)
    with reading(config) as opened:
        found = asyncio.run(opened.jobs.history(job_id, limit=limit)) if opened else []
    if not found:
        _existing(config, name)
    if as_json:
        print_json({"history": [instant_json(instant) for instant in found]})
    elif not found:
        remark(f"No instant of {name} has come yet.")
    else:
        zone = zone_named(config.timezone)
        rows = [
            (instant.wall, local(instant.at, zone), instant.verdict, instant.event_id or "-", instant.reason)
            for instant in found
        ]
        print_table(("INSTANT", "AT", "STATE", "EVENT", "REASON"), rows)
    return OK


def _change(config: Config, name: str, what: What) -> int:
    job_id = _existing(config, name)
    holder = holder_now(config)
    done = "is paused" if what == "pause" else "goes on"
    if holder is None and config.database is not None and config.database.exists():
        with writing(config, role=f"crons {what}") as store:
            changed = asyncio.run(store.jobs.pause(job_id, "by hand") if what == "pause" else store.jobs.resume(job_id))
        remark(f"{name} {done}." if changed else f"Nothing changed: {name} {done} already.")
        return OK
    taken = ask(config, _request(what, job_id), holder)
    remark(
        f"{name} {done}." if taken else f"{name} {done} when the daemon takes note of it, at its start at the latest."
    )
    return OK


def _request(what: What, job_id: str) -> Request:
    return Request(what=what, job_id=job_id, at=SystemClock().now().isoformat(timespec="milliseconds"))


def ask(config: Config, request: Request, holder: Holder | None) -> bool:
    """Leave a request and ring the daemon; return whether it was taken."""
    config.workspace.prepare()
    folder = RequestFolder(config.workspace.requests)
    folder.leave(request)
    if holder is None or holder.role != "server" or not holder.pid:
        return False  # only the server expects the signal
    with suppress(ProcessLookupError, PermissionError):
        os.kill(holder.pid, signal.SIGHUP)
    until = time.monotonic() + PATIENCE
    while folder.waits(request) and time.monotonic() < until:
        time.sleep(_STEP)
    return not folder.waits(request)


def _instant(config: Config, request: Request) -> InstantReport | None:
    with reading_something(config) as store:
        found = asyncio.run(store.jobs.history(request.job_id, limit=50))
    return next((instant for instant in found if instant.wall == request.wall), None)


def holder_now(config: Config) -> Holder | None:
    """Return who holds the workspace; None if nobody does."""
    return holder_of(config.workspace.lock_file, config.workspace.daemon_file)


def _existing(config: Config, name: str) -> str:
    """Return the id of a job that is there.

    Raises:
        NotFound: with the nearest name.
    """
    library = Library(config.workspace.root)
    library.scan()
    if name in library.crons:
        return _job_id(name)
    with reading(config) as opened:
        if opened and (asyncio.run(opened.jobs.states([_job_id(name)])) or _is_task(opened, name)):
            return _job_id(name)
    if name == f"{HEARTBEAT}:{config.heartbeat.agent}":
        return name
    near = nearest(name, library.crons)
    hint = f"did you mean {near!r}?" if near else "`picklebot crons list` shows what there is"
    raise NotFound(f"there is no job {name!r}; {hint}")


def _is_task(opened: SqliteStore, name: str) -> bool:
    number = task_id(name) if name.startswith(PREFIX) else None
    return number is not None and asyncio.run(opened.tasks.find(number)) is not None


def _job_id(name: str) -> str:
    return name if ":" in name else str(Source(CRON, (name,)))
