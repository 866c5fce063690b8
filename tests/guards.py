"""What no test may do, and how it is found out.

A test fails, even if it saw nothing wrong itself, when it reached for another machine, held an event loop for longer
than `HOLD` seconds, or left a thread or a task behind. The session sees no key, no setting and no home of the person
who runs it. Knows nothing of picklebot.
"""

import asyncio
import gc
import os
import tempfile
import threading
import time
from collections.abc import Generator

import pytest

from checks.loopback import confine

HOLD = 1.0  #: seconds of processor time (and of `time.sleep`) that one callback may take
LINGER = 1.0  #: seconds that a thread which was told to end may take to do so

_SECRETS = ("ANTHROPIC_", "OPENAI_", "PICKLEBOT_", "TELEGRAM_", "DISCORD_", "SLACK_", "XDG_")
_NAMES = {"CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "GITHUB_ACTIONS", "NO_COLOR"}


class Guards:
    """A pytest plugin: register one instance, once."""

    def __init__(self) -> None:
        self._offences: list[str] = []
        self._threads: set[threading.Thread] = set()
        self._slept = threading.local()
        self._swept = 0.0
        self._home = tempfile.TemporaryDirectory(prefix="picklebot-home-")
        clear_environment(self._home.name)
        confine(lambda what: self._offences.append(f"it tried to leave this machine: {what}"))
        self._watch_callbacks()
        self._watch_runners()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self) -> Generator[None, object, object]:
        """Remember what is there before the first fixture."""
        self._offences.clear()
        self._threads = set(threading.enumerate())
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, object]:
        """Judge, once the last fixture is closed."""
        result = yield
        self._offences += [f"it left the thread {thread.name!r} running" for thread in self._left_threads()]
        if self._offences:
            pytest.fail("The guards object to this test:\n- " + "\n- ".join(self._offences), pytrace=False)
        return result

    def pytest_unconfigure(self) -> None:
        """Remove the session's home."""
        self._home.cleanup()

    def _left_threads(self) -> list[threading.Thread]:
        until = time.monotonic() + LINGER
        fresh = [thread for thread in threading.enumerate() if thread not in self._threads and not thread.daemon]
        for thread in fresh:
            thread.join(max(0.0, until - time.monotonic()))
        return [thread for thread in fresh if thread.is_alive()]

    def _watch_callbacks(self) -> None:
        # Processor time, because a busy machine takes the processor away from innocent callbacks too. A sleep takes
        # none, so it is counted apart, by what it was asked for. The garbage of thousands of tests before is not
        # the callback's in which it happens to be swept.
        run, sleep = asyncio.Handle._run, time.sleep

        def counted(seconds: float) -> None:
            self._slept.seconds = getattr(self._slept, "seconds", 0.0) + seconds
            sleep(seconds)

        def timed(handle: asyncio.Handle) -> None:
            self._slept.seconds = 0.0
            began, swept = time.thread_time(), self._swept
            run(handle)
            held = time.thread_time() - began - (self._swept - swept) + self._slept.seconds
            if held > HOLD:
                self._offences.append(f"{_describe(handle)} held the event loop for {held:.2f} s, at most {HOLD} s")

        gc.callbacks.append(self._sweeping)
        setattr(time, "sleep", counted)  # noqa: B010  # an assignment would claim to have the same signature
        setattr(asyncio.Handle, "_run", timed)  # noqa: B010  # there is no public door to a loop's callbacks

    def _sweeping(self, phase: str, _: dict[str, int]) -> None:
        moment = time.thread_time()  # a sweep begins and ends in one thread
        self._swept += -moment if phase == "start" else moment

    def _watch_runners(self) -> None:
        original = asyncio.Runner.close

        def close(runner: asyncio.Runner) -> None:
            try:
                loop = runner.get_loop()
            except RuntimeError:  # it was closed before
                return
            left = [task for task in asyncio.all_tasks(loop) if not task.done()]
            self._offences.extend(f"it left the task {task.get_name()!r} running: {task!r}" for task in left)
            original(runner)

        setattr(asyncio.Runner, "close", close)  # noqa: B010  # asked just before it cancels what is left


def clear_environment(home: str) -> None:
    """Forget every key, proxy and setting of the person who runs the tests, and give them an empty home."""
    # Programs that the tests start still need the packages installed below the real home.
    os.environ.setdefault("PYTHONUSERBASE", os.path.expanduser("~/.local"))  # noqa: PTH111  # wanted as text
    for name in list(os.environ):
        if name.startswith(_SECRETS) or name.upper().endswith("_PROXY") or name in _NAMES:
            del os.environ[name]
    os.environ["HOME"] = home


def _describe(handle: asyncio.Handle) -> str:
    callback = handle._callback  # type: ignore[attr-defined]  # typeshed hides it; the name is the whole use of it
    task = getattr(callback, "__self__", None)
    if isinstance(task, asyncio.Task):
        return f"a step of {task.get_name()!r}, {task.get_coro()!r},"
    return f"the callback {callback!r}"
