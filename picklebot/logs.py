"""Logging: one line a record, for people or for programs, with no secret in it.

Promises that whatever is logged, a line stays one line of at most 8 KB, holds no control character, and shows no
configured secret, however it is encoded. Knows nothing of who logs.
"""

import json
import logging
import os
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Literal, TextIO

from picklebot.core.redaction import Redactor

MAX_RECORD = 8 * 1024  #: bytes of a record as it is written
MAX_FILE = 5 * 1024 * 1024  #: bytes of a log file before it is put aside
KEPT_FILES = 3  #: files that were put aside
IDS = ("event", "session", "turn", "agent", "job", "channel")
NOISY = ("aiohttp.access", "aiosqlite", "anthropic", "asyncio", "discord", "httpcore2", "httpx2", "watchfiles")

_root = logging.getLogger()
_installed: list[logging.Handler] = []
# Controls, line separators, marks that turn text round, and lone surrogates.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
_MISFIT = (TypeError, ValueError, KeyError, IndexError, AttributeError)


class _RedactingFilter(logging.Filter):
    """Settles the text of a record, and takes the secrets out: of message, arguments, ids and traceback."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except _MISFIT as exc:  # logging would print the arguments as they are
            message = f"{record.msg} [its arguments do not fit: {type(exc).__name__}]"
        record.msg, record.args = self._redact(message), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        # Without this another handler would format the traceback anew, from the exception itself.
        record.exc_info = None
        record.exc_text = self._redact(record.exc_text) if record.exc_text else None
        record.stack_info = self._redact(record.stack_info) if record.stack_info else None
        for name in IDS:
            if (value := getattr(record, name, None)) is not None:
                setattr(record, name, self._redact(str(value)))
        return True


class TextFormatter(logging.Formatter):
    """Time, level, who, what, then ids; a traceback below, indented so that no line of it passes for a record."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a person reads it."""
        return _fit(record, self._render)

    def _render(self, record: logging.LogRecord, message: str, trace: str) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).astimezone().isoformat(" ", "milliseconds")[:23]
        parts = [moment, f"{record.levelname:<7}", _printable(record.name.rpartition(".")[2]), _printable(message)]
        parts += [f"{name}={value}" for name, value in _ids(record)]
        return "\n".join((" ".join(parts), *(f"    | {_printable(line)}" for line in trace.splitlines())))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, ids, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a program reads it."""
        return _fit(record, self._render)

    def _render(self, record: logging.LogRecord, message: str, trace: str) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        entry = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": _printable(record.name),
        }
        entry |= {"message": _printable(message), **dict(_ids(record))}
        if trace:
            entry["exception"] = "\n".join(_printable(line) for line in trace.splitlines())
        return json.dumps(entry, ensure_ascii=False)


class _PrivateFile(RotatingFileHandler):
    """A log file that only its owner may read."""

    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self.baseFilename, flags, 0o600)
        Path(self.baseFilename).chmod(0o600)  # it may be older than this rule
        return os.fdopen(descriptor, "a", encoding="utf-8")


def setup(
    level: Literal["debug", "info", "warning", "error"],
    format: Literal["text", "json"],  # noqa: A002  # the setting is called that
    *,
    stream: TextIO,
    file: Path | None = None,
    secrets: Iterable[str] = (),
    live: Callable[[], str] = str,
) -> None:
    """Send every record of at least `level` to `stream`, and to `file` if there is one. Call it again to change that.

    `live` returns one more secret, which may change.
    """
    close()
    formatter = TextFormatter() if format == "text" else JsonFormatter()
    redacting = _RedactingFilter(Redactor(secrets, live=live))
    handlers: list[logging.Handler] = [logging.StreamHandler(stream)]
    if file is not None:
        handlers.append(_PrivateFile(file, maxBytes=MAX_FILE, backupCount=KEPT_FILES, encoding="utf-8"))
    for handler in handlers:
        handler.setFormatter(formatter)
        handler.addFilter(redacting)
        _root.addHandler(handler)
    _installed.extend(handlers)
    _root.setLevel(level.upper())
    for name in NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, _root.level))


def close() -> None:
    """Take away what `setup` put in place. Idempotent."""
    while _installed:
        handler = _installed.pop()
        _root.removeHandler(handler)
        handler.close()


def _fit(record: logging.LogRecord, render: Callable[[logging.LogRecord, str, str], str]) -> str:
    """Return the record as rendered, its message cut at the end and its traceback at the start until it is short."""
    message = record.getMessage()
    trace = "\n".join(text for text in (record.exc_text, record.stack_info) if text)
    limit = MAX_RECORD
    while True:
        line = render(record, _head(message, limit), _tail(trace, limit))
        if len(line.encode()) <= MAX_RECORD or not limit:
            return line
        limit //= 2


def _head(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit] + "…"


def _tail(text: str, limit: int) -> str:
    return text if len(text) <= limit else "…" + text[len(text) - limit :]


def _ids(record: logging.LogRecord) -> Iterator[tuple[str, str]]:
    for name in IDS:
        if (value := getattr(record, name, None)) is not None:
            yield name, _printable(_head(str(value), 100))


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub(lambda match: match[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text)
