"""HTML into text, in a process of its own that has little memory and little time.

Promises that a page which makes its reader wander costs a few seconds and no more. Knows no web.
"""

import asyncio
import json
import os
import sys
from dataclasses import dataclass

from picklebot import children
from picklebot.errors import ToolError

SECONDS = 15.0
MAX_TEXT = 4_000_000  #: bytes that the reader may write


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What a page says."""

    title: str
    text: str
    notes: tuple[str, ...] = ()


async def convert(content: bytes, *, charset: str | None, url: str, seconds: float = SECONDS) -> Text:
    """Return a page as markdown.

    Raises:
        ToolError: it cannot be read within the bounds.
    """
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    command = [sys.executable, "-m", "picklebot.web.reader"]
    nowhere = asyncio.subprocess.DEVNULL
    process = await children.start(command, environment, folder=None, limit=MAX_TEXT, stderr=nowhere)
    try:
        async with asyncio.timeout(seconds):
            asked = json.dumps({"charset": charset, "url": url}).encode()
            answer, _ = await process.communicate(asked + b"\n" + content)
    except TimeoutError as exc:
        raise ToolError(f"{url} is a page that takes too long to read") from exc
    finally:
        if process.returncode is None:
            children.kill(process)
            await children.let_go(process)
    if process.returncode or len(answer) > MAX_TEXT:
        raise ToolError(f"{url} is a page that cannot be read: it is too deep or too large")
    read = json.loads(answer)
    return Text(title=read["title"], text=read["text"], notes=tuple(read["notes"]))
