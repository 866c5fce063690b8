"""Pages of a few words, for a browser that goes somewhere and is refused; and the headers of every page.

Promises that no page of ours may be framed, load anything from elsewhere, or read HTML from a string. Knows no refusal
by name.
"""

import base64
import hashlib
import html
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from starlette.responses import Response

_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    # No string becomes markup or code: what an agent, a tool or a stranger wrote is text.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)
CONTENT_SECURITY_POLICY = "; ".join(_POLICY)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
# Whoever reads these pages may not have the files of ours: this is all the style there is, allowed by its hash.
_STYLE = (
    "body{font:16px/1.6 system-ui,sans-serif;max-width:34rem;margin:18vh auto;padding:0 1.25rem}h1{font-size:1.25rem}"
)
_PLAIN_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_LOCKED = (
    "This daemon does not know your browser. Run `picklebot status` where it runs, and open the link that it prints."
)
_CODE = re.compile(r"`([^`]*)`")


def goes_somewhere(method: str, accept: Sequence[str]) -> bool:
    """Return whether a browser asks for something to show to a person, and no program for data."""
    return method == "GET" and any("text/html" in each for each in accept)


def refusal_page(status: int, code: str, message: str, headers: Mapping[str, str]) -> Response:
    """Return a refusal as a page."""
    words = _LOCKED if code == "unauthorized" else message
    name = "Not logged in" if status == HTTPStatus.UNAUTHORIZED else HTTPStatus(status).phrase
    body = _CODE.sub(r"<code>\1</code>", html.escape(words, quote=False))
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta name="color-scheme" content="light dark"><title>{name} · picklebot</title>'
        f"<style>{_STYLE}</style>"
        f"<main><h1>{name}</h1><p>{body}</p></main></html>"
    )
    kept = {**HEADERS, "Content-Security-Policy": _PLAIN_POLICY, "Cache-Control": "no-store"}
    return Response(page, status, {**kept, **headers}, media_type="text/html")
