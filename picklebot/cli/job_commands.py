"""The commands of a job: run, pause, resume, history. Knows names and options only; see main.py."""

from typing import Annotated

import typer

from picklebot.cli.calling import call

Job = Annotated[str, typer.Argument(metavar="ID", help="The job: the name of its folder.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def register(group: typer.Typer) -> None:
    """Add the commands to the group of the jobs."""

    @group.command("run")
    def run(context: typer.Context, name: Job) -> None:
        """Begin a job now, in the daemon, paused or not; print the id of its event."""
        call("picklebot.cli.crons:run", context.obj, name=name)

    @group.command("pause")
    def pause(context: typer.Context, name: Job) -> None:
        """Begin a job no more until it is resumed. Its instants are written down as skipped."""
        call("picklebot.cli.crons:pause", context.obj, name=name)

    @group.command("resume")
    def resume(context: typer.Context, name: Job) -> None:
        """Let a paused job go on at its next instant."""
        call("picklebot.cli.crons:resume", context.obj, name=name)

    @group.command("history")
    def history(
        context: typer.Context,
        name: Job,
        limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000, help="How many at most.")] = 50,
        as_json: Json = False,
    ) -> None:
        """Say what became of each instant, the newest last."""
        call("picklebot.cli.crons:history", context.obj, name=name, limit=limit, as_json=as_json)

    del run, pause, resume, history
