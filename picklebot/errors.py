"""Every error picklebot raises on purpose; the class says what to do about it.

    PicklebotError
    ├── Transient              again, unchanged, after `retry_after` seconds
    ├── ConfigError            mend a file or a setting
    │   └── DefinitionError    mend a markdown file: it has a path and a line
    ├── ModelError
    │   ├── ModelUnavailable   (Transient) the model may answer later
    │   ├── ModelRejected      the same request will be refused again
    │   └── ContextTooLong     the request must be made shorter first
    ├── ToolError              told to the model
    │   └── ToolDenied         told to the model: policy says no
    ├── TurnError              told to the user, briefly
    │   └── LimitReached       steps, seconds or money
    ├── ChannelError
    │   ├── ChannelUnavailable (Transient) the platform may take it later
    │   ├── DeliveryRejected   the platform will never take it
    │   ├── QueueFull          (Transient) this session has too many messages waiting
    │   ├── TooFast            (Transient) this sender talks faster than a guest may
    │   └── Unknown            nobody let this sender in
    ├── NotFound               nothing has that name
    ├── Taken                  somebody else has it
    ├── DaemonAway             a running daemon is needed, and there is none
    └── StoreError             the daemon cannot keep its promises: it stops
        └── StoreFull          (Transient) no room on the disk: refuse, and try again later

This module promises the tree above. It knows nothing of who raises or catches.
"""

from pathlib import Path


class PicklebotError(Exception):
    """The root: catch it only at the edge of the program."""


class Transient(PicklebotError):
    """Trouble that passes: do the same again after `retry_after` seconds, if it says so."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ConfigError(PicklebotError):
    """A setting is wrong: the message says which, and what would be right."""


class DefinitionError(ConfigError):
    """A definition file is wrong, at `path`, on `line` (1-based; 0 when it is the whole file)."""

    def __init__(self, message: str, *, path: Path, line: int = 0) -> None:
        super().__init__(f"{path}:{line}: {message}" if line else f"{path}: {message}")
        self.reason = message
        self.path = path
        self.line = line


class ModelError(PicklebotError):
    """A model did not answer."""


class ModelUnavailable(ModelError, Transient):
    """Overloaded, rate-limited, unreachable, or cut off in the middle of its answer."""


class ModelRejected(ModelError):
    """The endpoint refused the request or the key: asking again changes nothing."""


class ContextTooLong(ModelError):
    """The conversation no longer fits the model's window, of `limit` tokens where that is known."""

    def __init__(self, message: str, *, limit: int | None = None) -> None:
        super().__init__(message)
        self.limit = limit


class ToolError(PicklebotError):
    """A tool could not do what it was asked; the model reads the message."""


class ToolDenied(ToolError):
    """Policy forbids this call; the model reads the message."""


class TurnError(PicklebotError):
    """A turn cannot go on; the user reads the message."""


class LimitReached(TurnError):
    """A turn came to the end of its steps, seconds or money."""


class ChannelError(PicklebotError):
    """A platform did not do what it was asked."""


class ChannelUnavailable(ChannelError, Transient):
    """The platform cannot be reached or is busy: deliver again later. `unknown`: it may have taken the message."""

    def __init__(self, message: str, *, retry_after: float | None = None, unknown: bool = False) -> None:
        super().__init__(message, retry_after=retry_after)
        self.unknown = unknown


class DeliveryRejected(ChannelError):
    """The platform will never take this message."""


class QueueFull(ChannelError, Transient):
    """A session has as many messages waiting as it may; this one was not accepted."""


class TooFast(ChannelError, Transient):
    """A guest, or all guests together, talk faster than they may; this message was not accepted."""


class Unknown(ChannelError):
    """Whoever sends this was not let in: it is not read."""


class NotFound(PicklebotError):
    """No agent, session or event has that name; the message offers the nearest one."""


class Taken(PicklebotError):
    """Somebody else has it; the message says who."""


class DaemonAway(PicklebotError):
    """A running daemon is needed, and there is none, or something else stands in its place."""


class StoreError(PicklebotError):
    """The store failed in a way that breaks promises: the daemon stops."""


class StoreFull(StoreError, Transient):
    """The disk is full or read-only: nothing was written and nothing was accepted."""
