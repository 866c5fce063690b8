"""Where the tool process begins: `serve` answers requests, `bash` and `grep` are one call each, `probe` looks around.

`stay` runs a whole program instead, which stands last, and `become` is one from then on. `filter` is what all but the
calls give up first: "closed" (sockets too), "open" (not those of the network), "proxied" (those lead to a bridge), or
nothing, where no sandbox is wanted. Calls inherit it. `walls`, as JSON, are those that Landlock is to raise; seals, after them for `serve`, `probe` and
`become`, what must stand where it was mounted.
"""

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path


def _adopt(name: str, folder: Path) -> None:
    """Make a package of a folder by its path: to be found by name, the folder above it would have to be listed."""
    spec = spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=[str(folder)])
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = module_from_spec(spec)
    spec.loader.exec_module(module)


_HERE = Path(__file__).resolve().parent
_adopt("picklebot", _HERE.parent)  # -I leaves the program's own folder out
_adopt("picklebot.toolhost", _HERE)

from picklebot.toolhost import bridge  # noqa: E402
from picklebot.toolhost.becoming import become  # noqa: E402
from picklebot.toolhost.confining import Unsupported, confine  # noqa: E402
from picklebot.toolhost.host import serve  # noqa: E402
from picklebot.toolhost.one import answer  # noqa: E402
from picklebot.toolhost.probing import leaks  # noqa: E402
from picklebot.toolhost.resident import stay  # noqa: E402
from picklebot.toolhost.seals import broken  # noqa: E402
from picklebot.toolhost.walls import Walls, hide_memory  # noqa: E402


def _give_up(filter_name: str, *, unseen: bool) -> None:
    if filter_name == "proxied":
        bridge.build()
    hide_memory()
    confine(sockets=filter_name, unseen=unseen)


def main(mode: str, root: str, memory_mb: str, filter_name: str = "", walls_json: str = "", *further: str) -> None:
    """Run as the host, as one call of it, as a look around, as the keeper of a program, or as that program: it is what is `further`."""
    if mode in {"serve", "probe", "become"} and further and (path := broken(root, json.loads(further[0]))):
        sys.exit(f"{path} was replaced while the sandbox was made")
    walls = Walls.from_json(walls_json) if walls_json else None
    try:
        if walls and mode in {"serve", "stay", "become", "probe"}:
            walls.raise_around_host(root)
        if filter_name:
            _give_up(filter_name, unseen=walls is not None)
    except (Unsupported, OSError) as exc:
        sys.exit(str(exc))
    if mode == "serve":
        serve(root, int(memory_mb), walls)
    elif mode == "stay":
        stay(root, further, memory_mb=int(memory_mb), walls=walls)
    elif mode == "become":
        become(further[1:], int(memory_mb))
    elif mode == "probe":
        if walls:
            walls.raise_around_command(root)
        print(json.dumps(leaks(json.loads(sys.stdin.readline()))))
    else:
        hide_memory()
        answer(mode, root, int(memory_mb), walls)


if __name__ == "__main__":
    main(*sys.argv[1:])
