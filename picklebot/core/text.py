"""Text from outside, made safe to keep.

Promises that what `clean` returns can be written to SQLite, JSON and a terminal log. Knows no format.
"""

MAX_CONTENT = 1_000_000  #: characters of one message from outside


def clean(text: str) -> str:
    """Replace lone surrogates and drop NULs: both poison SQLite and JSON further down."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def shorten(text: str, limit: int) -> str:
    """Return `text` in at most `limit` characters, on one line, an ellipsis where it was cut."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: max(limit - 1, 0)] + "…"
