"""What a person asks of the scheduler from outside: files in the state folder, one each.

Promises that a request which was left is on disk, that it is taken in the order in which it was left, and that taking
it twice does it once. A file can be left whether a daemon runs or not, and the database keeps its one writer. Knows no
signal: whoever leaves one rings the daemon.
"""

import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

from picklebot.core.ids import new_id

logger = logging.getLogger(__name__)

What: TypeAlias = Literal["run", "pause", "resume", "add", "cancel"]
_SUFFIX = ".json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """To begin a job now, to pause it, to let it go on; to add a task, described by `body`, or to cancel one."""

    what: What
    job_id: str
    at: str
    """When it was asked, in ISO format: an instant begun by hand is known by it."""
    id: str = field(default_factory=new_id)
    body: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def wall(self) -> str:
        """The identity of an instant that is begun by hand."""
        return by_hand(self.at)

    @property
    def moment(self) -> datetime:
        """When it was asked."""
        return datetime.fromisoformat(self.at)


def by_hand(at: str) -> str:
    """Return the identity of an instant that was begun by hand at that moment, in ISO format."""
    return f"by hand {at}"


class RequestFolder:
    """The requests of one workspace."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def leave(self, request: Request) -> None:
        """Put a request on disk."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        draft = self._folder / f".{request.id}"
        with draft.open("w") as file:
            file.write(json.dumps(asdict(request)))
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self._path(request))
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def waits(self, request: Request) -> bool:
        """Return whether a request was not taken yet."""
        return self._path(request).exists()

    def pending(self) -> Sequence[Request]:
        """Return what was left, oldest first. What cannot be read is put aside."""
        found: list[Request] = []
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            try:
                request = Request(**json.loads(path.read_text()))
                request.moment  # noqa: B018  # it may be no moment at all
            except (OSError, ValueError, TypeError) as exc:
                logger.warning("%s is no request and is put aside: %s", path, exc)
                path.replace(path.with_suffix(".bad"))
            else:
                found.append(request)
        return found

    def done(self, request: Request) -> None:
        """Forget a request."""
        self._path(request).unlink(missing_ok=True)

    def _path(self, request: Request) -> Path:
        return self._folder / f"{request.id}{_SUFFIX}"
