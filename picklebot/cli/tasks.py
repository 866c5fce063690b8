"""`picklebot tasks`: the jobs made in conversation, and by hand.

Promises that the database keeps its one writer: beside a daemon, what is to change is left as a request, as `crons`
does it. Knows no scheduler.
"""

import asyncio

from picklebot.cli.calling import FAILED, OK, TEMPORARY, USAGE
from picklebot.cli.crons import PATIENCE, ask, holder_now
from picklebot.cli.output import print_json, print_table, remark, say
from picklebot.cli.reading import reading
from picklebot.cli.writing import writing
from picklebot.clock import SystemClock, zone_named
from picklebot.config import Config
from picklebot.core.ids import new_id
from picklebot.core.source import Source
from picklebot.core.text import clean, shorten
from picklebot.definitions.library import Library
from picklebot.errors import ChannelError, NotFound
from picklebot.jobs.task import NewTask, Task, from_mapping, task_id, to_mapping
from picklebot.jobs.wishes import Wish, understand, words
from picklebot.shapes import task_json
from picklebot.tools.tasks import MAX_PROMPT
from picklebot.workers.requests import Request, What
from picklebot.workers.task_roster import BY_HAND

_WIDE = 60
_ENDED = 20  #: tasks that have ended, in one listing


def list_all(*, config: Config, as_json: bool) -> int:
    """List the tasks that run or wait, and the last of those that have ended."""
    now = SystemClock().now()
    with reading(config) as opened:
        open_ = asyncio.run(opened.tasks.open()) if opened else []
        ended = asyncio.run(opened.tasks.ended(limit=_ENDED)) if opened else []
    tasks = [*open_, *ended]
    if as_json:
        print_json({"tasks": [task_json(task, now) for task in tasks]})
    elif not tasks:
        remark("Nothing is scheduled.")
    else:
        rows = [
            (
                str(task.id),
                _state(task),
                words(task.timing, now=now) if task.state in {"active", "waiting"} else "-",
                task.agent_id,
                task.place,
                shorten(task.prompt, _WIDE),
            )
            for task in tasks
        ]
        print_table(("ID", "STATE", "WHEN", "AGENT", "DELIVER", "PROMPT"), rows)
    return OK


def add(*, config: Config, prompt: str, agent: str | None, deliver: str, when: dict[str, str], as_json: bool) -> int:
    """Make a task, in a session of its own."""
    now = SystemClock().now().replace(microsecond=0)
    zone = zone_named(config.timezone)
    try:
        timing = understand(Wish(**when), now=now, zone=zone)
        place = _place(deliver)
    except ValueError as exc:
        remark(f"picklebot: {exc}")
        return USAGE
    content = clean(prompt).strip()
    if not content or len(content) > MAX_PROMPT:
        raise ChannelError(f"a task asks something in 1 to {MAX_PROMPT:,} characters; this has {len(content):,}")
    library = Library(config.workspace.root)
    library.scan()
    agent_id = library.get_agent(agent or config.default_agent).id
    new = NewTask(
        key=f"by hand:{new_id()}",
        session_id=None,
        agent_id=agent_id,
        place=place,
        prompt=content,
        timing=timing,
        created_at=now,
    )
    task = _made(config, new)
    if task is None:
        remark(f"The daemon has not taken it within {PATIENCE:.0f} s; it will. `picklebot tasks list` tells.")
        return TEMPORARY
    if as_json:
        print_json(task_json(task, now))
    else:
        say(str(task.id))
        remark(f"Task {task.id} runs {words(task.timing, now=now)}.")
    return OK


def cancel(*, config: Config, name: str) -> int:
    """End a task."""
    number = task_id(name)
    with reading(config) as opened:
        task = asyncio.run(opened.tasks.find(number)) if opened and number is not None else None
    if task is None:
        raise NotFound(f"there is no task {name!r}; `picklebot tasks list` shows those that there are")
    if task.state in {"done", "cancelled"}:
        remark(f"Task {task.id} is {task.state} already.")
        return FAILED
    holder = holder_now(config)
    if holder is not None and holder.role == "server":
        taken = ask(config, _request("cancel", task.job_id), holder)
        remark(f"Task {task.id} is cancelled{'.' if taken else ' when the daemon takes note of it.'}")
        return OK if taken else TEMPORARY
    with writing(config, role="tasks cancel") as store:
        asyncio.run(store.tasks.settle(task.id, "cancelled", note=BY_HAND))
    remark(f"Task {task.id} is cancelled.")
    return OK


def _made(config: Config, new: NewTask) -> Task | None:
    """Write a task down, or have the daemon do it; None if it has not yet."""
    holder = holder_now(config)
    if holder is None or holder.role != "server":
        with writing(config, role="tasks add", fresh=True) as store:
            return asyncio.run(store.tasks.add(new))
    request = _request("add", "task:", to_mapping(new))
    if not ask(config, request, holder):
        return None
    with reading(config) as opened:
        return asyncio.run(opened.tasks.by_key(from_mapping(request.body).key)) if opened else None


def _request(what: What, job_id: str, body: dict[str, object] | None = None) -> Request:
    at = SystemClock().now().isoformat(timespec="milliseconds")
    return Request(what=what, job_id=job_id, at=at, body=body or {})


def _place(text: str) -> str:
    if text in {"none", "last"}:
        return text
    if ":" not in text:
        raise ValueError(f"{text!r} is no place to deliver to: write none, last, or a source like telegram:42:42")
    return str(Source.parse(text))


def _state(task: Task) -> str:
    return "waiting for consent" if task.state == "waiting" else task.state
