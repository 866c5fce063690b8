"""The machine as a skill's commands find it: the programs and variables of a tool process. Knows no skill."""

from functools import partial
from shutil import which

from picklebot.definitions.skill_needs import Machine
from picklebot.tools.launcher import PlainLauncher


def machine_of_tools() -> Machine:
    """Return what commands would find."""
    environment = PlainLauncher().environment()
    return Machine(find=partial(which, path=environment.get("PATH")), environment=environment)
