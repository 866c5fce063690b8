"""What was let in of each skill, by settings. Knows no skill."""

from picklebot.config import Config
from picklebot.definitions.library import Library
from picklebot.definitions.seals import Seals

FILE = "skills.json"  #: in the folder of the workspace's state


def seals_of(config: Config) -> Seals:
    """Return what was let in of each skill."""
    return Seals(config.workspace.state / FILE)


def library_of(config: Config, *, learn: bool = False) -> Library:
    """Return the definitions of a workspace, not looked at yet; with `learn`, skills never seen are let in."""
    seals = seals_of(config) if config.tools.pin_skills else None
    return Library(config.workspace.root, seals=seals, learn=learn)
