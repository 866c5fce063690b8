"""Where the tool process begins: `serve` answers requests, `bash` and `grep` are one call each, `probe` looks around.

`filter` is what `serve` and `probe` give up first: "closed" (sockets too), "open" (not those of the network), or
nothing, where no sandbox is wanted. Calls inherit it.
"""

import json
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))  # -I leaves the program's own folder out

from picklebot.toolhost.confining import Unsupported, confine
from picklebot.toolhost.host import serve
from picklebot.toolhost.one import answer
from picklebot.toolhost.probing import leaks


def main(mode: str, root: str, memory_mb: str, filter_name: str = "") -> None:
    """Run as the host, as one call of it, or as a look around."""
    if filter_name:
        try:
            confine(network=filter_name == "open")
        except Unsupported as exc:
            sys.exit(str(exc))
    if mode == "serve":
        serve(root, int(memory_mb))
    elif mode == "probe":
        print(json.dumps(leaks(json.loads(sys.stdin.readline()))))
    else:
        answer(mode, root, int(memory_mb))


if __name__ == "__main__":
    main(*sys.argv[1:])
