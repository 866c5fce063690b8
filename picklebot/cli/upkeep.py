"""The commands that look after a workspace: why, backup, restore.

Knows names and options only; see main.py.
"""

from pathlib import Path
from typing import Annotated

import typer

from picklebot.cli.calling import call, call_unconfigured


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (why, backup, restore):
        app.command()(command)


def why(
    context: typer.Context,
    event: Annotated[str, typer.Argument(help="The id of a message, a reply or a task; its beginning will do.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """What led to an event, and what came of it or why nothing has."""
    call("picklebot.cli.why:why", context.obj, event=event, as_json=as_json)


def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to; one that is there is replaced once the new one is whole.")],
    secrets: Annotated[bool, typer.Option("--with-secrets", help="Take .env along.")] = False,
) -> None:
    """Write the workspace into one file, also while the daemon works."""
    call("picklebot.cli.backup:backup", context.obj, file=file, secrets=secrets)


def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="What `picklebot backup` wrote.")],
    folder: Annotated[Path | None, typer.Argument(help="Where to; the workspace if left out.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Move aside what is there.")] = False,
) -> None:
    """Bring a workspace back from a backup, after looking it over."""
    call_unconfigured("picklebot.cli.restore:restore", folder or context.obj, file=file, force=force)
