"""The workspace's own prompt files: BOOTSTRAP.md, AGENTS.md, USER.md.

Promises bounded text, read again only when a file changed. Knows no agent.
"""

import logging
from pathlib import Path

logger = logging.getLogger(__name__)

MAX_BYTES = 64 * 1024  #: of each file; what is beyond is left out, and said
FILES = (("BOOTSTRAP.md", "Workspace"), ("AGENTS.md", "Working agreements"), ("USER.md", "The user"))


class Bootstrap:
    """A snapshot of the files; `refresh` brings it up to date."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._signatures: dict[str, tuple[int, int]] = {}
        self._texts: dict[str, str] = {}

    @property
    def sections(self) -> list[tuple[str, str]]:
        """(title, text) of each file that is there and not empty."""
        return [(title, self._texts[name]) for name, title in FILES if self._texts.get(name)]

    def refresh(self) -> None:
        """Read what changed. A file that cannot be read is left out, with a warning."""
        for name, _ in FILES:
            path = self._workspace / name
            try:
                status = path.stat()
                signature = (status.st_mtime_ns, status.st_size)
                if self._signatures.get(name) != signature:
                    self._texts[name] = _read(path)
                    self._signatures[name] = signature
            except FileNotFoundError:
                self._texts.pop(name, None)
                self._signatures.pop(name, None)
            except (OSError, UnicodeDecodeError) as exc:
                logger.warning("%s is left out of the prompt: %s", path, exc)
                self._texts.pop(name, None)


def _read(path: Path) -> str:
    if not path.is_file():
        raise OSError("it is no regular file")
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        logger.warning("%s is longer than %d bytes; the rest is left out of the prompt", path, MAX_BYTES)
        return content[:MAX_BYTES].decode("utf-8", "ignore") + "\n[cut here]"
    return content.decode("utf-8-sig")
