"""Rules that touch files, the shell and the web.

Promises inputs as the tools' schemas name them. Knows no result.
"""

import re
from collections.abc import Sequence

from picklebot.models.offline.rule import Action, Rule, Scene, Use, first_of, rule
from picklebot.models.offline.words import unquote

_HERE = r"(?:here|there|everything|this|all|(?:(?:all|this|the|my|our|your|current|working)\s*)*(?:files?|folder|directory|workspace))"
_URL = r"<?(https?://[^\s>]+)>?"
_KINDS = {"python": "py", "markdown": "md", "text": "txt", "image": "png", "javascript": "js", "typescript": "ts"}


def _path(text: str, *, sure: bool = False) -> str | None:
    """Return the path that `text` is; unless `sure`, one word must look like a file."""
    text = re.sub(r"^(?:the )?file\s+", "", text.strip(), flags=re.IGNORECASE)
    if text.lower().startswith("the "):
        text, sure = text[4:].strip(), False
    quoted = unquote(text)
    if quoted != text:
        return quoted if "\n" not in quoted else None
    looks = re.fullmatch(r"\S*\.[A-Za-z]\w{0,7}|\S*/\S*|README|LICENSE|CHANGELOG|Makefile", text) is not None
    return text if looks or (sure and text and not re.search(r"\s", text)) else None


def _read(match: re.Match[str], scene: Scene) -> Action | None:
    sure = match[0].lower().startswith(("read", "open", "cat"))
    path = _path(match["path"], sure=sure)
    return Use("read_file", {"path": path}) if path else None


def _list(match: re.Match[str], scene: Scene) -> Action | None:
    folder = unquote(match["folder"] or "").rstrip("/")
    if re.fullmatch(_HERE, folder, re.IGNORECASE) or folder == ".":
        folder = ""
    if re.search(r"[\s'\"$`;&|<>*]", folder):
        return None
    listing = Use("bash", {"command": f"ls -A -- {folder}" if folder else "ls -A"})
    return first_of(scene, Use("glob", {"pattern": f"{folder}/*" if folder else "*"}), listing)


def _find(match: re.Match[str], scene: Scene) -> Action | None:
    named = unquote(match["what"])
    if re.search(r"\s", named):
        return None
    if re.search(r"[*?]", named):
        return Use("glob", {"pattern": named if "/" in named else f"**/{named}"})
    if kind := _KINDS.get(named.lower()) or (named[1:] if re.fullmatch(r"\.\w+", named) else None):
        return Use("glob", {"pattern": f"**/*.{kind}"})
    return Use("glob", {"pattern": f"**/*{named}*"})


def _grep(match: re.Match[str], scene: Scene) -> Action | None:
    wanted = unquote(match["what"])
    if not match[0].lower().startswith("grep"):
        wanted = re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\1", wanted)
    place = unquote(match["place"] or "")
    if not place or re.fullmatch(_HERE, place, re.IGNORECASE):
        return Use("grep", {"pattern": wanted})
    path = _path(place, sure=True)
    return Use("grep", {"pattern": wanted, "path": path}) if path else None


def _write(match: re.Match[str], scene: Scene) -> Action | None:
    path = _path(match["path"].rstrip(".!?"), sure=match[0].lower().startswith("create"))
    content = match.groupdict().get("text") or ""
    return Use("write_file", {"path": path, "content": unquote(content)}) if path else None


def _edit(match: re.Match[str], scene: Scene) -> Action | None:
    path = _path(re.sub(r"[.!?]$", "", match["path"]), sure=True)
    old, new = unquote(match["old"]), unquote(match["new"])
    return Use("edit_file", {"path": path, "old": old, "new": new}) if path and old else None


def _run(match: re.Match[str], scene: Scene) -> Action | None:
    command = unquote(re.sub(r"(`)[.!?]$", r"\1", match["command"].strip())).strip()
    return Use("bash", {"command": command}) if command else None


def _fetch(match: re.Match[str], scene: Scene) -> Action:
    return Use("web_fetch", {"url": match[1]})


def _search_web(match: re.Match[str], scene: Scene) -> Action:
    return Use("web_search", {"query": match[1]})


_A_FILE = r"(?:an?\s+|the\s+)?(?:new\s+)?(?:file\s+)?(?:called\s+|named\s+)?"
_WITH = r"\s(?:with|containing|saying|that says)\s(?:the\s)?(?:(?:text|words?|contents?)\b)?:?"

RULES: Sequence[Rule] = (
    rule(r"[$!]\s*(?P<command>.+)", _run, tool="bash", exact=True),
    rule(
        r"(?:run|execute|exec)\s+(?:(?:the|this)\s+)?(?:shell\s+)?(?:command\s*)?:?\s*(?P<command>.+)",
        _run,
        "run `date`",
        tool="bash",
        exact=True,
    ),
    rule(rf"(?:fetch|get|open|read|show(?: me)?|download|what is (?:on|at))\s+{_URL}", _fetch, tool="web_fetch"),
    rule(
        r"(?:search the (?:web|internet) for|google|web search(?: for)?:?)\s+(.+)",
        _search_web,
        "search the web for pickles",
        tool="web_search",
    ),
    rule(r"(?:ls|dir)(?:\s+(?P<folder>.+))?", _list, tool="glob"),
    rule(
        r"(?:list|show|what|which)(?: me)?(?: are)?(?: all)?(?: (?:the|my|our|your))? files?(?: do (?:i|we|you) have)?"
        r"(?: (?:are|exist))?(?: (?:there|here))?(?: (?:in|under|of|inside)(?: the)?(?: (?:folder|directory))?"
        r"\s+(?P<folder>.+?)(?: (?:folder|directory))?)?",
        _list,
        "list files",
        tool="glob",
    ),
    rule(
        r"(?:read|open|cat|show(?: me)?|display|print|view)(?: me)?(?: (?:the )?contents? of)?\s+(?P<path>.+)",
        _read,
        "read README.md",
        tool="read_file",
    ),
    rule(
        r"what(?:'s| is| does| stands)(?: written)?(?: in)?\s+(?P<path>.+?)(?: says?| contains?)?",
        _read,
        tool="read_file",
    ),
    rule(
        rf"(?:write|create|make|save)\s+{_A_FILE}(?P<path>\S+|'[^']+'|\"[^\"]+\"){_WITH}(?P<text>.+)",
        _write,
        "write hello.txt with Hello!",
        tool="write_file",
        exact=True,
    ),
    rule(
        rf"(?:write|save|put)\s(?P<text>.+)\s(?:to|into|in)\s{_A_FILE}(?P<path>\S+)",
        _write,
        tool="write_file",
        exact=True,
    ),
    rule(r"create\s+(?:an?\s+|the\s+)?(?:new\s+)?(?:empty\s+)?file\s+(?P<path>\S+)", _write, tool="write_file"),
    rule(
        r"(?:replace|change)\s(?P<old>.+?)\s(?:with|by|to)\s(?P<new>.+?)\sin\s(?P<path>.+)",
        _edit,
        "replace Hello with Goodbye in hello.txt",
        tool="edit_file",
        exact=True,
    ),
    rule(
        rf"find(?: me)?(?: all)?(?: the)?\s+(?P<what>\S+)\s+files?(?:\s+in\s+{_HERE})?",
        _find,
        "find *.md files",
        tool="glob",
    ),
    rule(
        r"find(?: me)?(?: all)?(?: the)?\s+files?(?:\s+(?:named|called|matching|like))?\s+(?P<what>\S+)",
        _find,
        tool="glob",
    ),
    rule(r"find\s+(?P<what>\S*[*?]\S*)", _find, tool="glob"),
    rule(
        r"(?:grep|search|look|find)(?: for)?\s+(?P<what>.+?)\s+in\s+(?:the\s+)?(?:file\s+|folder\s+)?(?P<place>.+)",
        _grep,
        "search for pickle in README.md",
        tool="grep",
    ),
    rule(r"(?:grep|search)(?: for)?\s+(?P<what>.+)(?P<place>)", _grep, tool="grep"),
)
