"""`picklebot completion`: the script that lets a shell complete picklebot's commands and options.

The script asks picklebot itself, through the variable `_PICKLEBOT_COMPLETE`; `main` answers, once `listen` was called.
"""

from typer.completion import completion_init, get_completion_script  # type: ignore[attr-defined]  # pyright: ignore[reportPrivateImportUsage]  # typer names no exports there

from picklebot.cli.calling import USAGE
from picklebot.cli.output import remark, say
from picklebot.workspace import Workspace

VARIABLE = "_PICKLEBOT_COMPLETE"
SHELLS = ("bash", "zsh", "fish")


def completion(*, workspace: Workspace, shell: str) -> int:
    """Print the script for one shell, the same for every workspace."""
    del workspace
    if shell not in SHELLS:
        remark(f"picklebot: completion is there for {', '.join(SHELLS)}, not for {shell!r}")
        return USAGE
    say(get_completion_script(prog_name="picklebot", complete_var=VARIABLE, shell=shell))
    return 0


def listen() -> None:
    """Make typer answer the script's questions, which it does only for programs with its own options for it."""
    completion_init()
