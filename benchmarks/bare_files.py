"""A file per event: temporary file, fsync, rename; unlink on ack. The design that most small daemons have.

Runs in threads, because the disk takes fsyncs of several files at once. With `folders` the folder is fsynced too after
the rename: without, a power cut may take the file away again, whatever was promised.
"""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

CONTENT = "x" * 200


def publish(folder: Path, publishers: int, total: int, *, folders: bool = False) -> tuple[float, list[float]]:
    """Publish and acknowledge `total` events; return events a second, and each one's seconds."""
    folder.mkdir()
    top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY) if folders else None
    each = max(total // publishers, 1)

    def publisher(number: int) -> list[float]:
        taken: list[float] = []
        for n in range(each):
            began = perf_counter()
            os.unlink(_write(folder, f"{number}-{n}", top))  # noqa: PTH108  # the barest call: this is the other side's time
            taken.append(perf_counter() - began)
        return taken

    with ThreadPoolExecutor(publishers) as pool:
        began = perf_counter()
        latencies = [seconds for taken in pool.map(publisher, range(publishers)) for seconds in taken]
        took = perf_counter() - began
    if top is not None:
        os.close(top)
    return each * publishers / took, latencies


def _write(folder: Path, key: str, top: int | None) -> str:
    body = {"session_id": "s" * 24, "source": f"bench:{key}", "agent_id": "echo", "content": CONTENT, "key": key}
    final = f"{folder}/{key}.json"
    descriptor = os.open(f"{final}.tmp", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    os.write(descriptor, json.dumps(body).encode())
    os.fsync(descriptor)
    os.close(descriptor)
    os.rename(f"{final}.tmp", final)  # noqa: PTH104  # as above
    if top is not None:
        os.fsync(top)
    return final
