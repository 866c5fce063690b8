"""The command line: names, options and help. What a command does is in a module of its own, loaded when it is called.

Promises a quick `--help`, results on stdout, everything else on stderr, and the exit codes of docs/cli.md.
"""

import os
from pathlib import Path
from typing import Annotated

import typer

from picklebot import __version__
from picklebot.cli import listings, upkeep
from picklebot.cli.audit_commands import audit
from picklebot.cli.calling import call, call_unconfigured
from picklebot.plugins import load

COMPLETION_VARIABLE = "_PICKLEBOT_COMPLETE"  #: set by the scripts that `picklebot completion` prints

Agent = Annotated[str | None, typer.Option("--agent", "-a", help="The agent to talk to.")]
Session = Annotated[str | None, typer.Option("--session", "-s", help="Go on in this session.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]

app = typer.Typer(
    name="picklebot",
    help="An agent daemon that keeps its promises. `picklebot chat` starts a conversation.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
listings.register(app)
app.add_typer(audit, name="audit")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"picklebot {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    workspace: Annotated[
        Path | None,
        typer.Option("--workspace", "-w", help="The workspace; else $PICKLEBOT_WORKSPACE, here, or ~/.picklebot."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """An agent daemon that keeps its promises."""
    context.obj = workspace


@app.command()
def init(
    context: typer.Context,
    folder: Annotated[Path | None, typer.Argument(help="Where; the workspace if left out.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing, take every default.")] = False,
) -> None:
    """Make a workspace: settings, two agents, an example job."""
    call_unconfigured("picklebot.cli.init:init", folder or context.obj, ask=not yes)


@app.command()
def chat(
    context: typer.Context,
    agent: Agent = None,
    session: Session = None,
    new: Annotated[bool, typer.Option("--new", help="Start a fresh session.")] = False,
) -> None:
    """Talk to an agent, here in the terminal."""
    call("picklebot.cli.chat:chat", context.obj, agent=agent, session=session, new=new)


@app.command()
def ask(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="What to ask; - reads it from stdin.")],
    agent: Agent = None,
    session: Session = None,
    as_json: Json = False,
) -> None:
    """Ask once; the reply goes to stdout."""
    call("picklebot.cli.ask:ask", context.obj, text=text, agent=agent, session=session, as_json=as_json)


@app.command()
def server(context: typer.Context) -> None:
    """Run the daemon in the foreground. SIGTERM drains it, SIGHUP reloads its definitions."""
    call("picklebot.cli.server:server", context.obj)


@app.command()
def mcp(context: typer.Context) -> None:
    """Serve Claude Desktop, an editor or any other MCP client, on stdin and stdout."""
    call("picklebot.cli.mcp.command:mcp", context.obj)


@app.command()
def status(context: typer.Context, as_json: Json = False) -> None:
    """What runs, what waits, what failed, what was spent today."""
    call("picklebot.cli.status:status", context.obj, as_json=as_json)


@app.command()
def doctor(
    context: typer.Context,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended.")] = False,
    as_json: Json = False,
) -> None:
    """Check everything that can be wrong; exit 1 if anything is."""
    call_unconfigured("picklebot.cli.doctor:doctor", context.obj, fix=fix, as_json=as_json)


@app.command()
def usage(
    context: typer.Context,
    by: Annotated[str, typer.Option("--by", help="agent, session, cron, day, model or person.")] = "day",
    as_json: Json = False,
) -> None:
    """Tokens and cost."""
    call("picklebot.cli.usage:usage", context.obj, by=by, as_json=as_json)


@app.command()
def completion(
    shell: Annotated[str, typer.Argument(help="bash, zsh or fish.")] = "bash",
) -> None:
    """Print the shell's completion script; e.g. `picklebot completion bash >> ~/.bashrc`."""
    call_unconfigured("picklebot.cli.completion:completion", None, shell=shell)


upkeep.register(app)


def main() -> None:
    """Run the command line, or answer the shell that asks how a line may go on."""
    if COMPLETION_VARIABLE in os.environ:
        load("picklebot.cli.completion:listen")
    app()
