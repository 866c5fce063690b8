"""How long it takes to begin: the help, one question, the prompt, the server; each as a person would start it."""

import compileall
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import pexpect  # type: ignore[import-untyped]  # it has no types

from benchmarks import bare_ask
from benchmarks.daemon import MODEL, messages_api, prepare
from benchmarks.rows import Bar, Row, Scale
from benchmarks.server import TOP, environment, server, workspace

HELP = Bar(most=0.25)
ASK = Bar(times=1.5)
PROGRAM = (sys.executable, "-m", "picklebot")
PROMPT = "[>❯›] "
BARE = (sys.executable, str(Path(bare_ask.__file__)))


def run(scale: Scale) -> list[Row]:
    """Measure each in turn, some rounds over."""
    compileall.compile_dir(TOP / "picklebot", quiet=1)
    rounds = scale.of(5, 1)
    with messages_api("--reply", "hello") as url:
        root = prepare(scale.folder / "startup", url)
        serving = workspace(scale.folder / "startup-server", url)
        ways: dict[str, Callable[[], float]] = {
            "help": lambda: cpu((*PROGRAM, "--help")),
            "ask": lambda: wall((*PROGRAM, "-w", str(root), "ask", "hello")),
            "bare": lambda: wall((*BARE, url, MODEL)),
            "chat": lambda: prompt(root),
            "server": lambda: ready(serving),
        }
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                taken[name].append(way())
    middle = {name: median(each) for name, each in taken.items()}
    bare = "a bare script, same call"
    return [
        Row(bench="startup", case="--help", what="CPU", figure=middle["help"], unit="s", bar=HELP),
        Row(
            bench="startup",
            case="ask",
            what="until it ends",
            figure=middle["ask"],
            unit="s",
            beside=bare,
            other=middle["bare"],
            bar=ASK,
        ),
        Row(bench="startup", case="chat", what="until the prompt", figure=middle["chat"], unit="s"),
        Row(bench="startup", case="server", what="until it is ready", figure=middle["server"], unit="s"),
    ]


def wall(command: tuple[str, ...]) -> float:
    """Return the seconds that a program takes which says hello."""
    began = perf_counter()
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=60)
    took = perf_counter() - began
    if done.returncode or "hello" not in done.stdout:
        raise RuntimeError(f"{command[1:]} failed: {done.stdout}{done.stderr}")
    return took


def cpu(command: tuple[str, ...]) -> float:
    """Return the seconds of the processor that a program takes."""
    before = os.times()
    subprocess.run(command, env=environment(), stdout=subprocess.DEVNULL, check=True, timeout=60)
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


def prompt(root: Path) -> float:
    """Return the seconds until `chat` waits for a line."""
    began = perf_counter()
    child = pexpect.spawn(
        PROGRAM[0], [*PROGRAM[1:], "-w", str(root), "chat"], env=environment(), encoding="utf-8", dimensions=(24, 80)
    )
    try:
        child.expect(PROMPT, timeout=30)
        took = perf_counter() - began
        child.sendeof()
        child.expect(pexpect.EOF, timeout=30)
    finally:
        child.close(force=True)
    return took


def ready(root: Path) -> float:
    """Return the seconds until a server says that it is ready."""
    with server(root) as running:
        return running.ready
