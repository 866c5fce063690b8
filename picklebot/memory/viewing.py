"""What the memory tool shows: a file with the numbers of its lines, or which files there are.

Promises the answers of the SDK's `BetaLocalFilesystemMemoryTool`, in bounded length. Changes nothing.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from picklebot.errors import NotFound
from picklebot.memory.editing import missing, numbered, shown
from picklebot.memory.folder import FOLDERS, read, walk

SHOWN = 400  #: files of a listing
_DEEP = 2  # folders shown below the one that is asked for


def view(folder: Path, path: str, lines: Sequence[int] | None) -> str:
    """Return what is at `path`, or of a file only its lines from the first of `lines` to the last; -1 is the end.

    Raises:
        NotFound: there is nothing.
        ValueError: `lines` are no range.
    """
    if path.endswith(".md"):
        return _file(folder, path, lines)
    return _listing(folder, path)


def _file(folder: Path, path: str, lines: Sequence[int] | None) -> str:
    try:
        text = read(folder, path)
    except NotFound:
        raise missing(path) from None
    first, last = (lines[0], lines[1]) if lines else (1, -1)
    if first < 1 or (last != -1 and last < first):
        raise ValueError(f"Invalid `view_range` parameter: [{first}, {last}]. The first line is 1, and -1 is the last.")
    shown_lines = numbered(text, first, None if last == -1 else last)
    return f"Here's the content of {shown(path)} with line numbers:\n{shown_lines}"


def _listing(folder: Path, path: str) -> str:
    below = f"{path}/" if path else ""
    sizes: dict[str, int] = {}
    for found in walk(folder, lambda path, stamp: False):
        if not found.path.startswith(below):
            continue
        *folders, name = found.path.removeprefix(below).split("/")
        for depth in range(1, min(len(folders), _DEEP) + 1):
            above = f"{'/'.join(folders[:depth])}/"
            sizes[above] = sizes.get(above, 0) + found.stamp.size
        if len(folders) < _DEEP:
            sizes["/".join([*folders, name])] = found.stamp.size
    if not sizes and path and path not in FOLDERS:
        raise missing(path)
    header = f"Here're the files and directories up to 2 levels deep in {shown(path)}, excluding hidden items:"
    return "\n".join([header, f"{_size(_total(sizes))}\t{shown(path)}", *_lines(sizes, shown(path))])


def _lines(sizes: Mapping[str, int], top: str) -> list[str]:
    lines = [f"{_size(size)}\t{top}/{name}" for name, size in sorted(sizes.items())[:SHOWN]]
    if more := len(sizes) - SHOWN:
        lines += [f"({more:,} more are not shown; search_memory finds notes by what they say)"] if more > 0 else []
    return lines


def _total(sizes: Mapping[str, int]) -> int:
    return sum(size for name, size in sizes.items() if "/" not in name.rstrip("/"))


def _size(size: int) -> str:
    power = min(max(size.bit_length() - 1, 0) // 10, 3)
    return f"{size / 1024**power:.1f}".removesuffix(".0") + "BKMG"[power]
