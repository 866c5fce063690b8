"""A thread that hears of changes in folders, where the system offers that.

Promises to tell of every change it hears of, and once more to have everything looked at whenever it begins to listen
anew. What it hears is a hint: it may miss changes and invent others, so whoever listens also looks by itself from time to
time. Leaves no thread behind when closed. Knows nothing of what lies in the folders.
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


class Ear:
    """Listens to what `folders` returns, in a thread, and calls `heard` there.

    `heard` is given what changed, at least twice a second and maybe nothing; None, where anything may have. It returns
    whether the folders are still the same. `listening` says whether changes are being heard at all.
    """

    def __init__(
        self,
        what: str,
        *,
        folders: Callable[[], Collection[Path]],
        heard: Callable[[Collection[Path] | None], bool],
        recursive: bool = False,
        retry: float = 1.0,
    ) -> None:
        """`what` is how the log calls them; `retry`, in seconds, is when folders are tried again that were not there."""
        self.listening = False
        self._what = what
        self._folders = folders
        self._heard = heard
        self._recursive = recursive
        self._retry = retry
        self._loop = asyncio.get_running_loop()
        self._stop = threading.Event()
        self._anew = threading.Event()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=f"listening to {what}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def again(self) -> None:
        """Ask for the folders anew: there are others."""
        self._anew.set()

    async def close(self) -> None:
        """Stop listening; on return the thread is gone."""
        self._stop.set()
        self._anew.set()
        await self._ended.wait()
        self._thread.join()

    def tell(self, call: Callable[[], None]) -> None:
        """Call something on the loop, from the thread."""
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:  # the loop is gone, and so is everybody who could listen
            self._stop.set()

    def _run(self) -> None:
        try:
            watchfiles: Any = importlib.import_module(
                "watchfiles"
            )  # optional, and 40 ms: not the loop's business  # lazy: it is needed only while files are watched
        except ImportError:
            logger.info("watchfiles is not installed: %s is looked at from time to time", self._what)
        else:
            self._listen(watchfiles)
        finally:
            self.tell(self._ended.set)

    def _listen(self, watchfiles: Any) -> None:
        warned = False
        while True:
            self._anew.clear()
            if self._stop.is_set():  # asked after the clearing, which may have swallowed the word to stop
                return
            try:
                there = self._listen_once(watchfiles)
            except (OSError, RuntimeError, watchfiles.WatchfilesRustInternalError) as exc:
                there = False
                if not warned:
                    logger.warning("%s cannot be watched and is looked at from time to time: %s", self._what, exc)
                    warned = True
            if not there:
                self.listening = False
                self._heard(None)
                self._anew.wait(self._retry)

    def _listen_once(self, watchfiles: Any) -> bool:
        """Listen until the folders are others; return whether there was anything to listen to."""
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
            stop_event=self._anew,
            recursive=self._recursive,
            raise_interrupt=False,
        ):
            self.listening = True
            if not self._heard([Path(path) for _, path in changes] if began else None):
                break
            began = True
        return True
