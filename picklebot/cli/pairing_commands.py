"""The commands of pairing: list, approve, revoke. Knows names and options only; see main.py."""

from typing import Annotated

import typer

from picklebot.cli.calling import call

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]

pairing = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@pairing.command("list")
def list_people(context: typer.Context, as_json: Json = False) -> None:
    """List who waits to be let in, and who was."""
    call("picklebot.cli.pairing:list_all", context.obj, as_json=as_json)


@pairing.command("approve")
def approve(
    context: typer.Context,
    code: Annotated[str, typer.Argument(help="The code that the stranger was told.")],
    owner: Annotated[bool, typer.Option("--owner", help="As owner, who may do everything; else as guest.")] = False,
) -> None:
    """Let a stranger in. Where a daemon runs, /approve CODE in a conversation does it."""
    call("picklebot.cli.pairing:approve", context.obj, code=code, owner=owner)


@pairing.command("revoke")
def revoke(
    context: typer.Context,
    channel: Annotated[str, typer.Argument(help="The channel, such as telegram.")],
    person: Annotated[str, typer.Argument(help="The person's id there, as `pairing list` shows it.")],
) -> None:
    """Shut out somebody who was let in. Where a daemon runs, /deny CHANNEL ID in a conversation does it."""
    call("picklebot.cli.pairing:revoke", context.obj, channel=channel, person=person)
