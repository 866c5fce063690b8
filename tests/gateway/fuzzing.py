"""Requests that nobody would write, against a running daemon: schemathesis makes them from the daemon's own document.

Knows nothing of what the daemon answers, but that it must never be 5xx, and that each answer must come.
"""

import asyncio
import json
import re
import socket
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from tests.gateway.test_kills import daemon

SECONDS = 20.0  #: for one answer
PATIENCE = 30.0  #: seconds for the daemon to start
OURS = {"authorization", "cookie", "content-length", "host"}
LEFT_OUT = re.compile(r"/api/logout|/login/")  # these end, or need, a browser's login


@dataclass
class Findings:
    """How many requests were answered, by status, and what was wrong."""

    requests: int = 0
    by_status: dict[int, int] = field(default_factory=dict[int, int])
    broken: list[str] = field(default_factory=list[str])


def token_of(workspace: Path) -> str:
    """Return the token of the daemon in a workspace."""
    return (workspace / ".picklebot" / "token").read_text().strip()


def fuzz(url: str, token: str, *, requests: int, seed: int = 1) -> Findings:
    """Send about so many requests, spread evenly over what the daemon says that it answers."""
    found = Findings()
    bearer = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=url, headers=bearer, timeout=SECONDS, trust_env=False) as client:
        operations = list(_operations(client.get("/api/openapi.json").json()))
        each = -(-requests // (2 * len(operations)))
        for operation in operations:
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                _fuzz_one(operation, mode, client, found, each, seed)
    return found


def _operations(document: dict[str, Any]) -> Iterator[Any]:
    results: Any = schemathesis.openapi.from_dict(document).get_all_operations()
    for result in results:
        operation = result.ok()
        if not LEFT_OUT.search(operation.path):
            yield operation


def _fuzz_one(
    operation: Any, mode: GenerationMode, client: httpx2.Client, found: Findings, examples: int, seed: int
) -> None:
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        asked = case.as_transport_kwargs(base_url=str(client.base_url))
        _count(client, asked, found)

    try:
        send()
    except Unsatisfiable:
        return  # nothing can be wrong with what takes nothing


def _count(client: httpx2.Client, asked: dict[str, Any], found: Findings) -> None:
    # With our own token, because what has none gets no further than the guard.
    given = {name: value for name, value in dict(asked.get("headers") or {}).items() if name.lower() not in OURS}
    headers = {name: value for name, value in given.items() if _sendable(value)}
    try:
        answer = client.request(
            asked["method"],
            asked["url"],
            params=asked.get("params"),
            headers=headers,
            content=asked.get("data"),
            json=asked.get("json"),
        )
    except (httpx2.InvalidURL, httpx2.LocalProtocolError, ValueError, TypeError):
        return  # no client would send it
    except httpx2.HTTPError as exc:
        found.broken.append(f"{asked['method']} {asked['url']}: {exc!r}")
        return
    found.requests += 1
    found.by_status[answer.status_code] = found.by_status.get(answer.status_code, 0) + 1
    if answer.status_code >= 500:
        body = json.dumps({key: repr(asked.get(key))[:300] for key in ("params", "data", "json")})
        found.broken.append(f"{answer.status_code} {asked['method']} {asked['url']} {body}: {answer.text[:200]}")


def _sendable(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable()


@asynccontextmanager
async def serving(folder: Path) -> AsyncGenerator[tuple[str, Path], None]:
    """Run the real server on a small workspace; give its address and the workspace."""
    workspace = folder / "workspace"
    (workspace / "agents" / "echo").mkdir(parents=True)
    port = free_port()
    settings = f"default_agent: echo\nmodel: {{provider: offline}}\ngateway: {{port: {port}}}\n"
    (workspace / "config.yaml").write_text(settings)
    (workspace / "agents" / "echo" / "AGENT.md").write_text("---\nname: Echo\n---\nSay back what you hear.\n")
    async with daemon(workspace, folder / "log"):
        url = f"http://127.0.0.1:{port}"
        async with httpx2.AsyncClient(trust_env=False) as client, asyncio.timeout(PATIENCE):
            while not await _answers(client, url):  # noqa: ASYNC110  # another process sets no event of ours
                await asyncio.sleep(0.1)
        yield url, workspace


async def _answers(client: httpx2.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(f"{url}/healthz")).status_code == 200
    except httpx2.TransportError:
        return False


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
