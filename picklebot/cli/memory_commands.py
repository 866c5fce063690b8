"""The commands of memory. Knows names and options only; see main.py."""

from typing import Annotated

import typer

from picklebot.cli.calling import call

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Path = Annotated[str, typer.Argument(metavar="PATH", help="A file below memories/, such as topics/tea.md.")]

memory = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@memory.command("search")
def search(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help="A question, words, parts of words.")],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=50, help="How many at most.")] = 10,
    as_json: Json = False,
) -> None:
    """Find notes, those that fit best first."""
    call("picklebot.cli.memory:search", context.obj, query=query, limit=limit, as_json=as_json)


@memory.command("list")
def list_all(context: typer.Context, as_json: Json = False) -> None:
    """List the files of notes."""
    call("picklebot.cli.memory:list_all", context.obj, as_json=as_json)


@memory.command("reindex")
def reindex(context: typer.Context, as_json: Json = False) -> None:
    """Make the index of the notes anew, from the files."""
    call("picklebot.cli.memory:reindex", context.obj, as_json=as_json)


@memory.command("history")
def history(context: typer.Context, path: Path, as_json: Json = False) -> None:
    """List what a file was before agents changed it, oldest first."""
    call("picklebot.cli.memory:history", context.obj, path=path, as_json=as_json)


@memory.command("revert")
def revert(
    context: typer.Context,
    path: Path,
    version: Annotated[str | None, typer.Argument(help="Of `memory history`; the last one if left out.")] = None,
) -> None:
    """Let a file be again what it was; what it is now is kept as well."""
    call("picklebot.cli.memory:revert", context.obj, path=path, version=version)


@memory.command("accept")
def accept(context: typer.Context, path: Path) -> None:
    """Take a file out of quarantine, once you have looked at it."""
    call("picklebot.cli.memory:accept", context.obj, path=path)
