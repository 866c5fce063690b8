"""The commands of the audit: what is open, what was done, whether the log of it holds. Names and options only; see main.py."""

from typing import Annotated

import typer

from picklebot.cli.calling import call, call_unconfigured

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]

audit = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


@audit.callback()
def examine(context: typer.Context, as_json: Json = False) -> None:
    """What this workspace leaves open to others; exit 1 if something critical is."""
    if context.invoked_subcommand is None:
        call_unconfigured("picklebot.cli.audit.command:audit", context.obj, as_json=as_json)


@audit.command("log")
def show_log(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000, help="How many, the last ones.")] = 50,
    kind: Annotated[
        str | None, typer.Option("--kind", help="call, answer, lift, person, route, config or login.")
    ] = None,
    as_json: Json = False,
) -> None:
    """What was done, by whom, and who allowed it."""
    call("picklebot.cli.audit.log:show_log", context.obj, limit=limit, kind=kind, as_json=as_json)


@audit.command("verify")
def verify(
    context: typer.Context,
    head: Annotated[str, typer.Option("--head", help="An earlier head, NUMBER:DIGEST, that must still be there.")] = "",
    as_json: Json = False,
) -> None:
    """Whether the log is what was written, and the journal what it says; exit 1 if not."""
    call("picklebot.cli.audit.log:verify", context.obj, head=head, as_json=as_json)
