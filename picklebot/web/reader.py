"""`python -m picklebot.web.reader`: a page on stdin, its text as JSON on stdout.

A program of its own, because it reads what strangers wrote: it bounds its own memory and time before it looks at it.
With trafilatura installed (the extra `web`) it keeps the article and drops what stands around it; else it keeps all.
"""

import codecs
import contextlib
import json
import re
import resource
import sys

from picklebot.errors import ConfigError
from picklebot.plugins import load
from picklebot.web.cleaning import clean
from picklebot.web.markdown import to_markdown

MEMORY = 1 << 30  #: bytes
SECONDS = 10  #: of the processor
MAX_CHARACTERS = 400_000  #: of text

_META = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([A-Za-z0-9_-]{1,40})", re.IGNORECASE)
_INVISIBLE = re.compile("[\u00ad\u200b\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\U000e0000-\U000e007f]+")
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def read(content: bytes, charset: str | None, url: str) -> dict[str, object]:
    """Return title, text and notes of a page."""
    html, invisible = _INVISIBLE.subn("", decode(content, charset))
    page = clean(html)
    text = _article(page.html, url) or to_markdown(page.html, url)
    notes: list[str] = []
    if page.hidden:
        notes.append(f"{page.hidden:,} characters that a browser would not show were left out")
    if invisible:
        notes.append("invisible characters were left out")
    if len(text) > MAX_CHARACTERS:
        notes.append(f"only the first {MAX_CHARACTERS:,} characters are here")
    return {"title": page.title[:300], "text": text[:MAX_CHARACTERS].strip(), "notes": notes}


def decode(content: bytes, charset: str | None) -> str:
    """Return a page's characters: by its mark, else by what HTTP said, else by what it says itself, else UTF-8."""
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    said = _META.search(content[:4096])
    for name in (marked, charset, said[1].decode() if said else None):
        if name is not None:
            with contextlib.suppress(LookupError):
                return content.decode(name, "replace")
    return content.decode("utf-8", "replace")


def _article(html: str, url: str) -> str:
    """Return what trafilatura takes for the article; "" where it is not installed, or finds none."""
    options = {"include_links": True, "include_comments": False, "favor_recall": True}
    try:
        return str(load("trafilatura:extract", filecontent=html, url=url, output_format="markdown", **options) or "")
    except ConfigError:
        return ""


def main() -> None:
    """Read one page."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    asked = json.loads(sys.stdin.buffer.readline())
    sys.stdout.write(json.dumps(read(sys.stdin.buffer.read(), asked["charset"], asked["url"])))


if __name__ == "__main__":
    main()
