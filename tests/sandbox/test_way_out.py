"""The hosts that commands may reach: by a proxy that checks each, and by nothing else. Real curl, real sockets."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from picklebot.clock import SystemClock
from picklebot.config import load
from picklebot.errors import ConfigError, ToolError
from picklebot.sandbox.choosing import Choice, choose
from picklebot.sandbox.landlock import LandlockLauncher
from picklebot.settings.web import Permit
from picklebot.tools.hosts import ToolHosts
from picklebot.tools.shell import create_shell_tools
from picklebot.web.addresses import Reach
from picklebot.web.proxy import Proxy
from picklebot.wiring.sandbox import notice_of
from picklebot.wiring.tools import describe_tools
from picklebot.workspace import Workspace
from tests.sandbox.racing import PYTHON
from tests.tools.conftest import Toolbox
from tests.web.conftest import CLOSED, OPEN, Names, Site
from tests.web.conftest import names as names
from tests.web.conftest import secret_site as secret_site
from tests.web.conftest import site as site

HOSTS = ("open.example", "*.pypi.example", "inside.example", "turns.example", "gone.example")
ASK = """{python} - <<'EOF'
import json, socket, sys
def ask(head):
    with socket.create_connection(("127.0.0.1", 3128), 5) as way:
        way.sendall(head.encode())
        said = b""
        while chunk := way.recv(65536):
            said += chunk
            if b"established" in said and b"GET" not in head.encode()[:3] and said.endswith(b"\\r\\n\\r\\n"):
                way.sendall(b"GET /tunnel HTTP/1.1\\r\\nHost: open.example\\r\\nConnection: close\\r\\n\\r\\n")
    return said.decode()
print(json.dumps([ask(head) for head in json.loads({heads!r})]))
EOF"""
DIRECT = """{python} - <<'EOF' 2>&1
import socket
def tried(make):
    try:
        return make()
    except OSError as exc:
        return type(exc).__name__
S, D, R, V4, V6 = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.AF_INET, socket.AF_INET6
def datagram():
    with socket.socket(V4, D) as made:
        made.sendto(b"x", ("{address}", {port}))
print(tried(lambda: socket.create_connection(("{address}", {port}), 2)))
print(tried(lambda: socket.create_connection(("192.0.2.1", 80), 2)))
print(tried(lambda: socket.create_connection(("2001:db8::1", 80), 2)))
print(tried(datagram))
print(tried(lambda: socket.socket(V4, R, 1)))
print(tried(lambda: socket.socket(socket.AF_UNIX, S)))
print(tried(lambda: socket.socket(socket.AF_NETLINK, R)))
print(tried(lambda: socket.getaddrinfo("open.example", 80)))
EOF"""


@pytest.fixture
async def outside(tmp_path: Path, site: Site, names: Names) -> AsyncIterator[Toolbox]:
    """A sandbox with a way out, in a folder whose name is longer than a socket's may be."""
    (root := tmp_path / "workspace" / ("w" * 100)).mkdir(parents=True)
    site.says("/page", "basil", "text/plain")
    site.says("/tunnel", "mint", "text/plain")
    site.says("/away", "", status=302, Location=f"http://evil.example:{site.port}/")
    names.of = {host: [[OPEN]] for host in ("open.example", "files.pypi.example", "evil.example", "pypi.example")}
    names.of |= {
        "far.pypi.example": [["93.184.215.14"]],
        "inside.example": [[OPEN, CLOSED]],
        "turns.example": [[CLOSED], [OPEN]],
    }
    way_out = root / "way-out.sock"
    choice = await asyncio.to_thread(choose, "bubblewrap", memory_mb=256, network=False, way_out=way_out)
    assert choice.launcher is not None, choice.why
    proxy = Proxy(HOSTS, reach=Reach([Permit.parse(f"{OPEN}:{site.port}")]), lookup=names.look_up)
    async with proxy.serve(way_out), ToolHosts(root, launcher=choice.launcher, clock=SystemClock()) as hosts:
        yield Toolbox(create_shell_tools(hosts, reachable=HOSTS), hosts)
    assert not way_out.exists()


async def test_programs_reach_the_hosts_that_were_listed(
    outside: Toolbox, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "picklebot.web.proxy")
    port = site.port
    said = await outside(
        "bash",
        command=f"curl -sS http://open.example:{port}/page; echo; curl -sSp http://files.pypi.example:{port}/tunnel; echo; "
        f"curl -sSL http://open.example:{port}/away",
    )
    assert said.splitlines() == ["basil", "mint", "evil.example is not among sandbox.hosts in config.yaml"]
    assert [request.host for request in site.asked] == [
        f"{host}:{port}" for host in ("open.example", "files.pypi.example", "open.example")
    ]
    assert not [name for request in site.asked for name in request.headers if name.lower().startswith("proxy")]
    assert f"reached open.example port {port}: " in caplog.text
    assert f"reached files.pypi.example port {port}: " in caplog.text


async def test_what_was_not_listed_or_is_not_public_is_refused_in_words(
    outside: Toolbox, site: Site, secret_site: Site
) -> None:
    port = site.port
    refused = {
        f"CONNECT evil.example:{port}": "403 evil.example is not among sandbox.hosts",
        f"CONNECT pypi.example:{port}": "403 pypi.example is not among sandbox.hosts",
        f"CONNECT open.example.evil.example:{port}": "403 open.example.evil.example is not among",
        f"CONNECT inside.example:{secret_site.port}": "403 inside.example is",
        f"GET http://inside.example:{port}/": f"403 inside.example is {CLOSED}, which is not on the public internet",
        f"CONNECT turns.example:{port}": f"403 turns.example is {CLOSED}, which is not on the public internet",
        f"CONNECT {OPEN}:{port}": f"403 {OPEN} is a number",
        "GET http://169.254.169.254/latest/meta-data/": "403 169.254.169.254 is a number",
        f"CONNECT [::1]:{secret_site.port}": "403 [::1] is a number",
        f"CONNECT 2130706433:{secret_site.port}": "403 2130706433 is not among",
        f"CONNECT 0x7f000001:{secret_site.port}": "403 0x7f000001 is not among",
        "CONNECT far.pypi.example:22": "403 port 22 of far.pypi.example is none of the web's",
        "CONNECT open.example": "403",
        "CONNECT gone.example:443": "502 there is no host 'gone.example'",
        f"GET http://a:b@open.example:{port}/": "403 the proxy takes http://host/path",
        f"GET https://open.example:{port}/": "403 the proxy takes http://host/path",
        "GET /page": "403 the proxy takes http://host/path",
        f"GET http://open.example:{port}/page HTTP/1.1\r\nHost: open.example\r\n smuggled: yes": "403",
        "HELO": "403 this is no request to a proxy",
    }
    heads = [f"{head}{'' if 'HTTP/1.1' in head else ' HTTP/1.1'}\r\n\r\n" for head in refused]
    said = json.loads(await outside("bash", command=ASK.format(python=PYTHON, heads=json.dumps(heads))))
    assert {
        head: answer.removeprefix("HTTP/1.1 ")[: len(words)]
        for (head, words), answer in zip(refused.items(), said, strict=True)
    } == refused
    assert not site.asked


async def test_there_is_no_other_way_out(outside: Toolbox, site: Site) -> None:
    said = await outside("bash", command=DIRECT.format(python=PYTHON, address=OPEN, port=site.port))
    tcp, v4, v6, datagram, raw, unix, netlink, name = said.splitlines()
    assert {tcp, v4, v6} <= {"OSError", "ConnectionRefusedError"}
    assert datagram in {"None", "OSError"}, "it goes nowhere: 127.0.0.2 is the sandbox's own"
    assert (raw, unix, netlink, name) == ("PermissionError", "PermissionError", "PermissionError", "gaierror")
    assert not site.asked
    # Whoever ends the bridge ends its own way out, and the next process has one again.
    with contextlib.suppress(ToolError):
        await outside("bash", command="for p in /proc/[0-9]*; do kill -9 ${p#/proc/}; done; true")
    assert await outside("bash", command=f"curl -sS http://open.example:{site.port}/page") == "basil"


def test_a_command_that_reaches_a_host_counts_as_sending_and_hosts_are_names(workspace: Path) -> None:
    def settings(text: str) -> None:
        (workspace / "config.yaml").write_text(f"default_agent: echo\nmodel: {{provider: offline}}\nsandbox: {text}\n")

    def bash() -> bool:
        [found] = [tool.sends for tool in describe_tools(load(Workspace(workspace), {})) if tool.name == "bash"]
        return found

    settings("{}")
    assert not bash()
    settings("{hosts: [PyPI.org, '*.pythonhosted.org']}")
    assert bash()
    walled = Choice(launcher=LandlockLauncher(memory_mb=64, network=False), name="Landlock")
    assert "only bubblewrap can open single hosts" in notice_of(load(Workspace(workspace), {}), walled)[0]
    for wrong in (
        "{hosts: ['*']}",
        "{hosts: ['1.2.3.4']}",
        "{hosts: ['https://pypi.org']}",
        "{hosts: [pypi.org], network: true}",
    ):
        settings(wrong)
        with pytest.raises(ConfigError, match="hosts"):
            bash()
