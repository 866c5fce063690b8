"""Files as a channel: whoever can put a file into a folder can talk, and finds the reply in another one.

Promises that the folder is out of reach of an agent's own tools. Knows no session and no agent.
"""

from pathlib import Path

from picklebot.channels.file.channel import FileChannel
from picklebot.channels.file.folders import Folders
from picklebot.clock import SystemClock
from picklebot.errors import ConfigError


def create(*, name: str, state: str, folder: str | None = None) -> FileChannel:
    """Return the channel over `folder`, which is one in `state`, the state folder, where none is named.

    Raises:
        ConfigError: agents could write there, and so speak as somebody else.
    """
    kept = Path(state)
    top = Path(folder).expanduser() if folder else kept / "files"
    if not top.is_absolute():
        raise ConfigError(f"folder: {folder!r} is not an absolute path")
    place, home = top.resolve(), kept.parent.resolve()
    if (place == home or home in place.parents) and kept.resolve() not in place.parents:
        raise ConfigError(
            f"folder: {folder!r} is in the workspace, where agents write: name one outside, or leave it out for "
            f"{str(kept / 'files')!r}"
        )
    return FileChannel(name, Folders(top), SystemClock())
