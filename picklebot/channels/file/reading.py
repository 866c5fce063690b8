"""A message in a file, read: JSON with a few fields.

Promises that what is returned is well-formed, and that an error says what is wrong with what. Pure.
"""

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from picklebot.core.text import MAX_CONTENT

MAX_BYTES = 4 * MAX_CONTENT  #: of one file: the longest message, in the widest characters
MAX_NAME = 200  #: bytes of a file's name: it leaves room for endings
MAX_FILES = 10  #: that come with one message


class Written(BaseModel):
    """What a file says. `files` are the names of others beside it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    content: str = Field(default="", max_length=MAX_CONTENT)
    sender: str = Field(default="local", alias="from", pattern=r"^[^\x00-\x1f]{1,64}$")
    id: str | None = Field(default=None, min_length=1, max_length=MAX_NAME)
    agent: str | None = Field(default=None, min_length=1, max_length=MAX_NAME)
    session: str | None = Field(default=None, min_length=1, max_length=MAX_NAME)
    new_session: bool = False
    files: tuple[str, ...] = Field(default=(), max_length=MAX_FILES)


class Unreadable(ValueError):
    """There is no message in it."""


def read_message(content: bytes) -> Written:
    """Return the message that a file holds.

    Raises:
        Unreadable: it holds none.
    """
    try:
        found = Written.model_validate_json(content.removeprefix(b"\xef\xbb\xbf"))
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Unreadable(": ".join(words for words in (where, first["msg"]) if words)) from exc
    if strange := [name for name in found.files if not is_plain(name)]:
        raise Unreadable(f"files: {strange[0]!r} is not the name of a file beside it")
    return found


def is_plain(name: str) -> bool:
    """Return whether `name` names a file in the folder itself, and looks like what it is."""
    return not name.startswith(".") and "/" not in name and name.isprintable() and len(name.encode()) <= MAX_NAME
