"""Asks the gateway of a running daemon for something small: whether it answers, and a link for a browser.

Promises an answer within `PATIENCE` seconds, None where there is none. Knows no screen.
"""

import json
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from picklebot.config import Config

PATIENCE = 2.0


def answers(url: str) -> bool:
    """Return whether a gateway answers there."""
    return _ask(url, "GET", "/healthz", {}) is not None


def login_link(config: Config, url: str) -> str | None:
    """Return a link with which a browser logs in, once."""
    token = _token(config)
    if token is None:
        return None
    found = _ask(url, "POST", "/api/login", {"Authorization": f"Bearer {token}"})
    link = (found or {}).get("url")
    return link if isinstance(link, str) else None


def _token(config: Config) -> str | None:
    if (variable := config.gateway.token_env) is not None:
        return config.secret(variable)
    try:
        return config.workspace.token_file.read_text().strip()
    except OSError:
        return None


def _ask(url: str, method: str, path: str, headers: dict[str, str]) -> dict[str, Any] | None:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        found: dict[str, Any] = json.loads(answer.read())
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return found if answer.status == 200 else None
