"""A race for a way out: a command swaps folders and links as fast as it can, while tools go through them.

One pair is in a folder below the top: the file tools read, write and search through it. Another one is at the top of
the workspace, under a name that the sandbox fixes by its path: tool processes are begun meanwhile, and both ends of a
mount follow links (https://github.com/containers/bubblewrap/issues, "symlink"). Knows no test.
"""

import asyncio
import sys
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from picklebot.clock import SystemClock
from picklebot.errors import ToolError
from picklebot.sandbox.choosing import choose
from picklebot.tools.files import create_file_tools
from picklebot.tools.hosts import ToolHosts
from picklebot.tools.shell import create_shell_tools
from tests.tools.conftest import Toolbox

CANARY = "c-0123456789"
PYTHON = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else getattr(sys, "_base_executable", sys.executable)
SWAP = """{python} - {seconds} {pairs} <<'EOF' 2>&1
import ctypes, sys, time
libc, ends, flips = ctypes.CDLL(None, use_errno=True), time.monotonic() + float(sys.argv[1]), 0
pairs = [tuple(each.encode().split(b":")) for each in sys.argv[2:]]
while time.monotonic() < ends:
    for one, other in pairs:
        if libc.renameat2(-100, one, -100, other, 2):
            sys.exit(f"renameat2: {{ctypes.get_errno()}}")
    flips += len(pairs)
print(flips)
EOF"""


@dataclass(slots=True)
class Raced:
    """How often things were swapped, what was tried meanwhile, and what got out."""

    flips: int = 0
    calls: int = 0
    starts: int = 0
    served: int = 0
    """Calls that found something, and processes that began: else nothing was at stake."""
    escapes: list[str] = field(default_factory=list)

    def judge(self, said: str) -> None:
        self.served += 1
        if CANARY in said:
            self.escapes.append(said[:200])


async def race(kind: str, folder: Path, seconds: float) -> Raced:
    """Race in an empty folder under bubblewrap or Landlock."""
    choice = await asyncio.to_thread(choose, kind, memory_mb=512, network=False)  # type: ignore[arg-type]  # a name
    assert choice.launcher is not None, choice.why
    root, outside = _lay_out(folder)
    raced, ends = Raced(), asyncio.get_running_loop().time() + seconds
    async with ToolHosts(root, launcher=choice.launcher, clock=SystemClock(), max_hosts=4) as hosts:
        toolbox = Toolbox([*create_file_tools(hosts), *create_shell_tools(hosts)], hosts)
        await toolbox("glob", pattern="*")  # a process from before the race
        pairs = ["play/door:play/link"]
        if kind == "bubblewrap":  # under Landlock nothing can be renamed at the top
            await toolbox("bash", session="swap", command="mkdir .vscode; ln -s ../beyond .idea")
            pairs.append(".vscode:.idea")
        command = SWAP.format(python=PYTHON, seconds=seconds, pairs=" ".join(pairs))
        async with asyncio.TaskGroup() as group:
            swapping = group.create_task(toolbox("bash", session="swap", command=command, timeout=seconds + 20))
            group.create_task(_go_through(toolbox, raced, ends))
            group.create_task(_begin(toolbox, raced, ends, outside))
        raced.flips = int(swapping.result())
    if sorted(outside.parent.iterdir()) != [outside] or outside.read_text() != CANARY:
        raced.escapes.append("something was written outside")
    return raced


def _lay_out(folder: Path) -> tuple[Path, Path]:
    root, outside = folder / "workspace", folder / "beyond" / "file"
    for path, content in ((root / "play" / "door" / "file", "inside"), (outside, CANARY)):
        path.parent.mkdir(parents=True)
        path.write_text(content)
    (root / "play" / "link").symlink_to("../../beyond")
    return root, outside


async def _go_through(toolbox: Toolbox, raced: Raced, ends: float) -> None:
    calls: list[tuple[str, dict[str, str]]] = [
        ("read_file", {"path": "play/door/file"}),
        ("write_file", {"path": "play/door/file", "content": "inside"}),
        ("write_file", {"path": "play/door/new", "content": "inside"}),
        ("edit_file", {"path": "play/door/file", "old": "inside", "new": "inside"}),
        ("read_file", {"path": "play/door/../../../beyond/file"}),
        ("grep", {"pattern": "c-", "path": "play/door"}),
        ("glob", {"pattern": "play/door/*"}),
    ]
    while (
        asyncio.get_running_loop().time() < ends or not raced.served
    ):  # at the latest when nothing is swapped any more
        for tool, given in calls:
            raced.calls += 1
            try:
                raced.judge(await toolbox(tool, **given))
            except ToolError:
                continue


async def _begin(toolbox: Toolbox, raced: Raced, ends: float, outside: Path) -> None:
    command = f"cat {outside} .vscode/file .idea/file play/door/file 2>&1; echo x > .vscode/new; echo x > play/door/new"
    for number in count():
        if number and asyncio.get_running_loop().time() >= ends:
            return
        raced.starts += 1
        try:
            raced.judge(await toolbox("bash", session=f"new {number}", command=f"{command}; true"))
        except ToolError:
            continue
