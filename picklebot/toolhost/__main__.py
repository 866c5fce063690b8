"""Where the tool process begins: `serve` answers requests, `bash` and `grep` are one call each."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))  # -I leaves the program's own folder out

from picklebot.toolhost.host import serve
from picklebot.toolhost.one import answer


def main(mode: str, root: str, memory_mb: str) -> None:
    """Run as the host, or as one call of it."""
    if mode == "serve":
        serve(root, int(memory_mb))
    else:
        answer(mode, root, int(memory_mb))


if __name__ == "__main__":
    main(*sys.argv[1:])
