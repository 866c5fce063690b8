"""What Slack takes and what it refuses, and how it says so. Knows no workspace."""

from typing import Any

from aiohttp import web

TOKEN, APP_TOKEN = "xoxb-loopback-slack", "xapp-loopback-slack"
TEAM, BOT, APP = "T0LOOP", "U0BOT", "A0LOOP"
HALL = "C7001"  #: the one channel
SCOPES = (
    "app_mentions:read,channels:history,chat:write,commands,files:read,files:write,groups:history,im:history,im:write,"
    "users:read"
)
LIMIT, SECTION = 4000, 3000
PAGE = 50  #: messages of one page at most, so that there are several


def error(code: str) -> dict[str, Any]:
    """Return an answer that says no."""
    return {"ok": False, "error": code}


def profile(name: str) -> dict[str, Any]:
    """Return what somebody says of themselves."""
    return {"ok": True, "user": {"profile": {"display_name": name}}}


def is_room(room: str) -> bool:
    """Return whether a conversation is there."""
    return room == HALL or (room[:1] == "D" and room[1:].isdecimal())


def against(fields: dict[str, Any]) -> str | None:
    """Return what Slack has against a message."""
    if not str(fields.get("text") or "").strip():
        return "no_text"
    if len(fields["text"]) > LIMIT:
        return "msg_too_long"
    blocks = fields.get("blocks") or []
    for block in blocks:
        if block["type"] == "section" and not 0 < len(block["text"]["text"]) <= SECTION:
            return "invalid_blocks"
        for button in block.get("elements", ()):
            if len(button["text"]["text"]) > 75 or len(button["value"]) > 2000:
                return "invalid_blocks"
    return "invalid_blocks" if len(blocks) > 50 else None


async def body(request: web.Request) -> dict[str, Any]:
    """Return the fields in the body of a call."""
    if request.content_type == "application/json":
        return dict(await request.json()) if request.can_read_body else {}
    return dict(await request.post())


async def written(socket: web.WebSocketResponse, text: str) -> None:
    """Send a frame to whoever is still there."""
    try:
        await socket.send_str(text)
    except ConnectionError:
        return
