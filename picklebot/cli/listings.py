"""The commands that list and show: agents, skills, crons, tools, sessions, events, proposals, config.

Knows names and options only; see main.py.
"""

from typing import Annotated

import typer

from picklebot.cli import job_commands
from picklebot.cli.calling import call, call_unconfigured
from picklebot.cli.memory_commands import memory
from picklebot.cli.pairing_commands import pairing
from picklebot.cli.task_commands import tasks

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="How many at most.")]
Id = Annotated[str, typer.Argument(help="Its id.")]


def register(app: typer.Typer) -> None:
    """Add the groups to the program."""
    groups: dict[str, typer.Typer] = {}
    for kind, summary in (
        ("agents", "The agents of the workspace."),
        ("skills", "The skills of the workspace."),
        ("crons", "The jobs of the workspace."),
        ("tools", "The tools that agents may use."),
    ):
        groups[kind] = _shelf(kind)
        app.add_typer(groups[kind], name=kind, help=summary)
    job_commands.register(groups["crons"])
    _add_trust(groups["tools"])
    _add_skill_trust(groups["skills"])
    app.add_typer(tasks, name="tasks", help="The jobs made in conversation.")
    app.add_typer(memory, name="memory", help="What agents remember.")
    app.add_typer(pairing, name="pairing", help="Who was let in, and who waits to be.")
    app.add_typer(sessions, name="sessions", help="Conversations.")
    app.add_typer(events, name="events", help="What was accepted and sent.")
    app.add_typer(proposals, name="proposals", help="What agents asked you to allow; /approve and /deny answer.")
    app.add_typer(config, name="config", help="Settings.")


def _shelf(kind: str) -> typer.Typer:
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

    @group.command("list")
    def list_all(context: typer.Context, as_json: Json = False) -> None:
        call("picklebot.cli.shelves:list_all", context.obj, kind=kind, as_json=as_json)

    @group.command("show")
    def show(context: typer.Context, name: Id, as_json: Json = False) -> None:
        call("picklebot.cli.shelves:show", context.obj, kind=kind, name=name, as_json=as_json)

    list_all.__doc__, show.__doc__ = f"List the {kind}.", f"Show one of the {kind}."
    return group


def _add_trust(group: typer.Typer) -> None:
    @group.command("trust")
    def trust(context: typer.Context, server: Annotated[str, typer.Argument(help="Its name in mcp_servers.")]) -> None:
        """Let in what a server of tools offers now, and show what is new or changed."""
        call("picklebot.cli.trust:trust", context.obj, server=server)

    del trust


def _add_skill_trust(group: typer.Typer) -> None:
    @group.command("trust")
    def trust(context: typer.Context, name: Id) -> None:
        """Let a skill in as its files are now, and say how they differ from what they were."""
        call("picklebot.cli.skill_trust:trust", context.obj, name=name)

    del trust


sessions = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
events = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
proposals = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
config = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@sessions.command("list")
def list_sessions(context: typer.Context, limit: Limit = 50, as_json: Json = False) -> None:
    """List conversations, last used first."""
    call("picklebot.cli.sessions:list_sessions", context.obj, limit=limit, as_json=as_json)


@sessions.command("show")
def show_session(context: typer.Context, session: Id, as_json: Json = False) -> None:
    """Show what was said in one of them."""
    call("picklebot.cli.sessions:show_session", context.obj, session=session, as_json=as_json)


@sessions.command("export")
def export_session(context: typer.Context, session: Id) -> None:
    """Print everything that is known of a session, as JSON; the replay model answers from it."""
    call("picklebot.cli.sessions:export_session", context.obj, session=session)


@sessions.command("fork")
def fork_session(
    context: typer.Context,
    session: Id,
    at: Annotated[int | None, typer.Option("--at", min=1, help="Up to which step; all of them if left out.")] = None,
) -> None:
    """Go on from a step of a session in a copy of it, which becomes the terminal's current one; print its id."""
    call("picklebot.cli.fork:fork", context.obj, session=session, at=at)


@sessions.command("replay")
def replay_session(context: typer.Context, session: Id, as_json: Json = False) -> None:
    """Run a session again on recorded replies and results; exit 1 if it comes out differently."""
    call("picklebot.cli.replay:replay", context.obj, session=session, as_json=as_json)


@events.command("list")
def list_events(context: typer.Context, limit: Limit = 50, as_json: Json = False) -> None:
    """List the last durable events."""
    call("picklebot.cli.events:list_events", context.obj, limit=limit, as_json=as_json)


@events.command("show")
def show_event(context: typer.Context, event: Id, as_json: Json = False) -> None:
    """Show one event, whole."""
    call("picklebot.cli.events:show_event", context.obj, event=event, as_json=as_json)


@events.command("tail")
def tail_events(
    context: typer.Context,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they come.")] = False,
    limit: Limit = 10,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Print the last events, one a line."""
    call("picklebot.cli.events:tail_events", context.obj, follow=follow, limit=limit, as_json=as_json)


@events.command("dead")
def list_dead(context: typer.Context, as_json: Json = False) -> None:
    """List what was set aside: messages whose turn never ended, replies that could not be delivered."""
    call("picklebot.cli.letters:list_dead", context.obj, as_json=as_json)


@events.command("retry")
def retry_event(
    context: typer.Context,
    event: Annotated[str | None, typer.Argument(help="Its id.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything that is set aside.")] = False,
) -> None:
    """Let something go on that was set aside."""
    call("picklebot.cli.letters:retry", context.obj, event=event, everything=everything)


@events.command("drop")
def drop_event(context: typer.Context, event: Id) -> None:
    """Give something up that was set aside. It stays in the log."""
    call("picklebot.cli.letters:drop", context.obj, event=event)


@proposals.command("list")
def list_proposals(context: typer.Context, as_json: Json = False) -> None:
    """List what waits for your answer."""
    call("picklebot.cli.proposals:list_proposals", context.obj, as_json=as_json)


@proposals.command("show")
def show_proposal(context: typer.Context, name: Id, as_json: Json = False) -> None:
    """Show one of them whole, with all that it would change."""
    call("picklebot.cli.proposals:show_proposal", context.obj, name=name, as_json=as_json)


@config.command("check")
def check_config(context: typer.Context) -> None:
    """Check config.yaml and the environment."""
    call("picklebot.cli.settings:check", context.obj)


@config.command("schema")
def schema(context: typer.Context) -> None:
    """Print the JSON Schema of config.yaml."""
    call_unconfigured("picklebot.cli.settings:schema", context.obj)


@config.command("path")
def path(context: typer.Context) -> None:
    """Print where config.yaml is."""
    call_unconfigured("picklebot.cli.settings:path", context.obj)
