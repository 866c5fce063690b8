"""Calls that run in a process of their own, so that each can be ended without harm to the others.

Promises that `Apart.run` returns or raises within the call's seconds and a few more, and that nothing of the call is
left by then. Knows no tool.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from picklebot.toolhost import family
from picklebot.toolhost.wire import MAX_ANSWER, Failure

PATIENCE = 8.0  #: seconds past its limit that a call has for killing what it started
STOPPING = 6.0  #: seconds that a cancelled one has
_SWEEP = 2.0


class Children:
    """The processes that we started. Any other child came to us because one of them was killed: it is ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: set[int] = set()

    def start(self, argv: Sequence[str]) -> "subprocess.Popen[bytes]":
        """Start a program with pipes for its stdin and stdout."""
        with self._lock:  # a sweep between its birth and its entry here would take it for a stranger
            pipe = subprocess.PIPE
            process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, start_new_session=True)
            self._known.add(process.pid)
        return process

    def end(self, process: "subprocess.Popen[bytes]") -> None:
        """Wait for a program, and end what it should have ended and did not."""
        code = process.wait()
        with self._lock:
            self._known.discard(process.pid)
        if code != 0:
            self._sweep()

    def _sweep(self) -> None:
        deadline = time.monotonic() + _SWEEP
        while time.monotonic() < deadline:
            with self._lock:
                ours = self._known | family.descendants(self._known)
                strangers = family.descendants([os.getpid()]) - ours
                family.end(strangers)
            for pid in strangers:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            if not strangers:
                return
            time.sleep(0.002)


class Apart:
    """One such call."""

    def __init__(self, children: Children, argv: Sequence[str], request: Mapping[str, Any]) -> None:
        self._children = children
        self._argv = argv
        self._request = request
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._cancelled = False
        self._timer: threading.Timer | None = None

    def run(self) -> str:
        """Run it.

        Raises:
            Failure: its own, or in words how it ended.
        """
        seconds: float = self._request["seconds"]
        with self._lock:
            if self._cancelled:
                raise Failure("stopped")
            process = self._process = self._children.start(self._argv)
            self._kill_after(seconds + PATIENCE)
        try:
            said = _converse(process, json.dumps(self._request).encode() + b"\n")
        finally:
            with self._lock:
                if self._timer is not None:
                    self._timer.cancel()
            self._children.end(process)
            self._close()
        return self._result(said, process.returncode, seconds)

    def cancel(self) -> None:
        """Ask the call to end, and see to it that it does."""
        with self._lock:
            self._cancelled = True
            if self._process is not None and self._process.stdin is not None:
                with contextlib.suppress(OSError):
                    self._process.stdin.close()
                # A search hears nothing while it searches, and has nothing below it to end.
                self._kill_after(STOPPING if self._request["tool"] == "bash" else 0.0)

    def _kill_after(self, seconds: float) -> None:
        if self._process is not None:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(seconds, self._process.kill)
            self._timer.daemon = True
            self._timer.start()

    def _close(self) -> None:
        with self._lock:
            for pipe in (self._process.stdin, self._process.stdout) if self._process else ():
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()

    def _result(self, said: bytes, code: int, seconds: float) -> str:
        *noise, line = said.splitlines() or [b""]
        if code == 0 and line.startswith(b"{"):
            answer = json.loads(line)
            if answer["ok"]:
                return str(answer["output"])
            raise Failure(answer["error"])
        if self._cancelled:
            raise Failure("stopped")
        if code in {-signal.SIGALRM, -signal.SIGKILL}:
            raise Failure(f"stopped after {seconds:g} s, or killed")
        sys.stderr.write("\n".join(text.decode("utf-8", "replace") for text in (*noise, line)) + "\n")
        raise Failure(f"the tool's own process ended with code {code}")


def _converse(process: "subprocess.Popen[bytes]", request: bytes) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(OSError, ValueError):  # ended, or cancelled, before it had read us: its answer says so
        process.stdin.write(request)
        process.stdin.flush()
    return process.stdout.read(MAX_ANSWER)
