"""A thread that hears of changes in a few folders, where the system offers that.

Promises to ring after every change it hears of and once more whenever it begins to listen anew, and to end when told
to. What it hears is a hint: it may miss changes and invent others. Knows nothing of what changed and why.
"""

import asyncio
import importlib
import logging
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

_DEBOUNCE_MS = 200
_STEP_MS = 50  # also how long closing may take
_ROUND_MS = 500  # after so long without news the folders are known to be watched
_RETRY = 5.0  # seconds until folders that could not be watched are tried again


class Listener:
    """Listens to `root`, to `folders` in it, and to each folder in those; not to anything deeper.

    `ring` is called on the loop. `listening` says whether changes are being heard at all.
    """

    def __init__(
        self, root: Path, *, folders: Collection[str], names: Collection[str], ring: Callable[[], None]
    ) -> None:
        self.listening = False
        self._root = root
        self._tops = frozenset(folders)
        self._names = frozenset(names)
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._stop = threading.Event()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=f"listening to {root}", daemon=True)

    def start(self) -> None:
        """Begin; the first ring says that the folders are watched."""
        self._thread.start()

    async def close(self) -> None:
        """Stop listening; on return the thread is gone."""
        self._stop.set()
        await self._ended.wait()
        self._thread.join()

    def _run(self) -> None:
        try:
            watchfiles: Any = importlib.import_module(
                "watchfiles"
            )  # optional, and 40 ms: not the loop's business  # lazy: it is needed only while files are watched
        except ImportError:
            logger.info("watchfiles is not installed: definitions are looked at once a second")
        else:
            self._listen(watchfiles)
        finally:
            self._tell(self._ended.set)

    def _listen(self, watchfiles: Any) -> None:
        warned = False
        while not self._stop.is_set():
            try:
                heard = self._listen_once(watchfiles)
            except (OSError, RuntimeError, watchfiles.WatchfilesRustInternalError) as exc:
                heard = False
                if not warned:
                    logger.warning("%s cannot be watched and is looked at once a second: %s", self._root, exc)
                    warned = True
            if not heard:
                self._set(listening=False)
                self._stop.wait(_RETRY)

    def _listen_once(self, watchfiles: Any) -> bool:
        """Listen until the set of folders is another; return whether there was anything to listen to."""
        folders = self._folders()
        if not folders:
            return False
        began = False
        for changes in watchfiles.watch(
            *folders,
            watch_filter=None,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            rust_timeout=_ROUND_MS,
            yield_on_timeout=True,
            stop_event=self._stop,
            recursive=False,
            raise_interrupt=False,
        ):
            if not began or any(self._matters(Path(path)) for _, path in changes):
                began = True
                self._set(listening=True)
            if changes and self._folders() != folders:
                break
        return True

    def _folders(self) -> set[Path]:
        """Return the folders worth listening to, as they are now; none while the root is not there."""
        found = {self._root} if self._root.is_dir() else set[Path]()
        for top in self._tops:
            try:
                inside = [path for path in (self._root / top).iterdir() if path.is_dir()]
            except OSError:
                continue
            found |= {self._root / top, *inside}
        return found

    def _matters(self, path: Path) -> bool:
        if path.name in self._names or path.parent.name in self._tops:
            return True
        return path.parent == self._root and path.name in self._tops

    def _set(self, *, listening: bool) -> None:
        self.listening = listening
        self._tell(self._ring)

    def _tell(self, call: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:  # the loop is gone, and so is everybody who could listen
            self._stop.set()
