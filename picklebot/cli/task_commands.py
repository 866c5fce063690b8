"""The commands of tasks: list, add, cancel. Knows names and options only; see main.py."""

from typing import Annotated

import typer

from picklebot.cli.calling import call

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]

tasks = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@tasks.command("list")
def list_tasks(context: typer.Context, as_json: Json = False) -> None:
    """List the jobs made in conversation: those that run or wait, and the last of those that have ended."""
    call("picklebot.cli.tasks:list_all", context.obj, as_json=as_json)


@tasks.command("add")
def add(  # noqa: PLR0913  (typer takes options from the signature)
    context: typer.Context,
    prompt: Annotated[str, typer.Argument(help="What the agent is asked then.")],
    *,
    schedule: Annotated[str, typer.Option("--schedule", help="Five cron fields, such as '0 9 * * 1-5'.")] = "",
    at: Annotated[str, typer.Option("--at", help="Once, such as 2026-12-01T09:00 or 15:00.")] = "",
    every: Annotated[str, typer.Option("--every", help="Again and again, such as 30m.")] = "",
    timezone: Annotated[str, typer.Option("--timezone", help="Such as Europe/Berlin; else that of config.yaml.")] = "",
    agent: Annotated[str | None, typer.Option("--agent", "-a", help="Who is asked; else the default agent.")] = None,
    deliver: Annotated[str, typer.Option("--deliver", help="Where replies go: none, last, or a source.")] = "last",
    as_json: Json = False,
) -> None:
    """Have an agent asked something later, in a session of its own; print the task's id."""
    given = {"schedule": schedule, "at": at, "every": every, "timezone": timezone}
    call(
        "picklebot.cli.tasks:add",
        context.obj,
        prompt=prompt,
        agent=agent,
        deliver=deliver,
        when={name: text for name, text in given.items() if text},
        as_json=as_json,
    )


@tasks.command("cancel")
def cancel(context: typer.Context, name: Annotated[str, typer.Argument(metavar="ID", help="Its id.")]) -> None:
    """End a task: it will not run again."""
    call("picklebot.cli.tasks:cancel", context.obj, name=name)
