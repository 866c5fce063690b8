"""Each guard catches what it is there for, and lets the innocent pass."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from checks.tree import TOP

CONFTEST = """
from tests.guards import Guards

def pytest_configure(config):
    config.pluginmanager.register(Guards())
"""

SUSPECTS = """
import asyncio, contextlib, gc, os, socket, threading, time
from checks.loopback import NetworkRefused

gate = threading.Event()
kept = []

def test_connects_elsewhere():
    with contextlib.suppress(NetworkRefused), socket.socket() as sock:
        sock.connect(("192.0.2.1", 80))

async def test_connects_elsewhere_in_a_task():
    with contextlib.suppress(NetworkRefused):
        await asyncio.open_connection("192.0.2.1", 80)

def test_sends_a_datagram_elsewhere():
    with contextlib.suppress(NetworkRefused), socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.sendto(b"x", ("192.0.2.1", 53))

def test_listens_to_everybody():
    with contextlib.suppress(NetworkRefused), socket.socket() as sock:
        sock.bind(("0.0.0.0", 0))

async def test_looks_up_a_name():
    with contextlib.suppress(NetworkRefused):
        await asyncio.get_running_loop().getaddrinfo("example.com", 80)

async def test_talks_to_itself(tmp_path, monkeypatch):
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "localhost", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind("door")
    try:
        socket.getaddrinfo("nobody.invalid", 80)
    except OSError:
        pass

async def test_computes_in_the_loop():
    end = time.thread_time() + 1.2
    while time.thread_time() < end:
        pass

async def test_sleeps_in_the_loop():
    time.sleep(1.2)

async def test_sweeps_in_the_loop():
    heap = [[] for _ in range(100_000)]
    end = time.thread_time() + 1.2
    while time.thread_time() < end:
        gc.collect()

async def test_computes_beside_the_loop():
    def compute():
        end = time.thread_time() + 1.2
        while time.thread_time() < end:
            pass
    await asyncio.to_thread(compute)
    await asyncio.to_thread(time.sleep, 1.2)

def test_leaves_a_thread():
    threading.Thread(target=gate.wait, name="straggler").start()

def test_lets_the_thread_go():
    gate.set()

def test_a_thread_that_ends_is_fine():
    threading.Thread(target=time.sleep, args=(0.05,)).start()

async def test_leaves_a_task():
    kept.append(asyncio.create_task(asyncio.Event().wait(), name="orphan"))

async def test_a_task_that_ends_is_fine():
    kept.append(asyncio.create_task(asyncio.sleep(0)))
    await kept[-1]

def test_sees_no_secrets():
    for name in ("ANTHROPIC_API_KEY", "PICKLEBOT_MODEL__NAME", "OPENAI_BASE_URL", "https_proxy"):
        assert name not in os.environ
    assert os.listdir(os.path.expanduser("~")) == []
"""

SECRETS = {
    "ANTHROPIC_API_KEY": "k",
    "PICKLEBOT_MODEL__NAME": "m",
    "OPENAI_BASE_URL": "http://127.0.0.1",
    "https_proxy": "http://127.0.0.1:9",
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """What the guards said of each suspect: "" for nothing."""
    folder = tmp_path_factory.mktemp("suspects")
    (folder / "conftest.py").write_text(textwrap.dedent(CONFTEST), encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n", encoding="utf-8")
    (folder / "test_suspects.py").write_text(textwrap.dedent(SUSPECTS), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--junitxml=report.xml"]
    environment = {**os.environ, **SECRETS, "PYTHONPATH": str(TOP)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    return {case.attrib["name"]: _complaint(case) for case in _cases(folder / "report.xml")}


def _cases(report: Path) -> list[ET.Element]:
    return list(ET.parse(report).iter("testcase"))


def _complaint(case: ET.Element) -> str:
    return "".join(f"{found.attrib.get('message', '')}\n{found.text}" for found in case)


@pytest.mark.parametrize(
    ("suspect", "words"),
    [
        ("test_connects_elsewhere", "connect to ('192.0.2.1', 80)"),
        ("test_connects_elsewhere_in_a_task", "connect to ('192.0.2.1', 80)"),
        ("test_sends_a_datagram_elsewhere", "sendto to ('192.0.2.1', 53)"),
        ("test_listens_to_everybody", "bind to ('0.0.0.0', 0)"),
        ("test_looks_up_a_name", "a lookup of 'example.com'"),
        ("test_computes_in_the_loop", "held the event loop"),
        ("test_sleeps_in_the_loop", "held the event loop"),
        ("test_leaves_a_thread", "left the thread 'straggler' running"),
        ("test_leaves_a_task", "left the task 'orphan' running"),
    ],
)
def test_a_guard_objects(verdicts: Mapping[str, str], suspect: str, words: str) -> None:
    assert words in verdicts[suspect]


@pytest.mark.parametrize(
    "suspect",
    [
        "test_talks_to_itself",
        "test_sweeps_in_the_loop",
        "test_computes_beside_the_loop",
        "test_lets_the_thread_go",
        "test_a_thread_that_ends_is_fine",
        "test_a_task_that_ends_is_fine",
        "test_sees_no_secrets",
    ],
)
def test_the_innocent_pass(verdicts: Mapping[str, str], suspect: str) -> None:
    assert verdicts[suspect] == ""
