"""Discord's shapes, as its pages give them (https://docs.discord.com/developers): for `DiscordPlatform`. Knows no state."""

import json
from contextlib import suppress
from typing import Any

from aiohttp import web

TOKEN = "loopback.discord.token"
BOT = {"id": "4242", "username": "pickle", "discriminator": "0", "global_name": None, "avatar": None, "bot": True}
NAMED = f"<@{BOT['id']}>"
GUILD, HALL = "7000", "7001"  #: the one company, and where it talks
LIMIT = 2000
CONTENT = 1 << 15  #: the intent to read everything
FIXED: dict[str, Any] = {
    "type": 0,
    "attachments": [],
    "embeds": [],
    "components": [],
    "mentions": [],
    "mention_roles": [],
    "mention_everyone": False,
    "tts": False,
    "pinned": False,
    "flags": 0,
    "timestamp": "2026-01-01T00:00:00+00:00",
    "edited_timestamp": None,
}
APPLICATION: dict[str, Any] = {
    "id": BOT["id"],
    "name": "pickle",
    "description": "",
    "summary": "",
    "icon": None,
    "flags": 0,
    "owner": BOT,
    "bot_public": False,
    "bot_require_code_grant": False,
    "verify_key": "",
    "rpc_origins": None,
}
_HALL = {"id": HALL, "type": 0, "name": "hall", "position": 0, "permission_overwrites": [], "nsfw": False}
COMPANY: dict[str, Any] = {
    "id": GUILD,
    "name": "company",
    "roles": [],
    "emojis": [],
    "features": [],
    "channels": [_HALL],
    "members": [],
    "threads": [],
    "voice_states": [],
    "presences": [],
    "stickers": [],
    "stage_instances": [],
    "owner_id": "1",
    "guild_scheduled_events": [],
    "soundboard_sounds": [],
    "verification_level": 0,
    "mfa_level": 0,
    "nsfw_level": 0,
    "default_message_notifications": 0,
    "explicit_content_filter": 0,
    "premium_tier": 0,
    "preferred_locale": "de",
    "afk_timeout": 60,
    "system_channel_flags": 0,
    "member_count": 9,
    "premium_progress_bar_enabled": False,
}


def alone(person: int) -> str:
    """Return the room in which the bot and one person are alone."""
    return str(90_000 + person)


def user(person: int, name: str | None = None) -> dict[str, Any]:
    """Return somebody, by whatever name."""
    return {"id": str(person), "username": f"p{person}", "discriminator": "0", "global_name": name, "avatar": None}


def press(message: dict[str, Any], label: str, person: int, number: str) -> dict[str, Any]:
    """Return what Discord tells of somebody who presses a button."""
    buttons = [button for row in message["components"] for button in row["components"]]
    [pressed] = [button["custom_id"] for button in buttons if button["label"] == label]
    room = message["channel_id"]
    return {
        "id": number,
        "application_id": BOT["id"],
        "type": 3,
        "token": "t",
        "version": 1,
        "user": user(person),
        "channel_id": room,
        "channel": {"id": room, "type": 1},
        "message": {**message, "attachments": []},
        "data": {"custom_id": pressed, "component_type": 2},
        "locale": "de",
        "entitlements": [],
        "attachment_size_limit": 1 << 20,
    }


def chosen(name: str, text: str, *, person: int, number: str) -> dict[str, Any]:
    """Return what Discord tells of somebody who chooses a command of the menu, in the hall."""
    member: dict[str, Any] = {
        "user": user(person),
        "roles": [],
        "joined_at": None,
        "deaf": False,
        "mute": False,
        "flags": 0,
    }
    options = [{"type": 3, "name": "text", "value": text}]
    return {
        "id": number,
        "application_id": BOT["id"],
        "type": 2,
        "token": "t",
        "version": 1,
        "locale": "de",
        "guild_id": GUILD,
        "channel_id": HALL,
        "channel": {"id": HALL, "type": 0},
        "member": {**member, "permissions": "0"},
        "entitlements": [],
        "attachment_size_limit": 1 << 20,
        "data": {"id": "1", "name": name, "type": 1, "options": options},
    }


def readable(what: dict[str, Any], intents: int) -> dict[str, Any]:
    """Return a message as a bot may read it: without the intent, in company only what names it."""
    hidden = "guild_id" in what and "content" in what and not intents & CONTENT and not what["mentions"]
    return {**what, "content": "", "attachments": []} if hidden else what


def frame(number: int, event: str, what: dict[str, Any], intents: int) -> str:
    return json.dumps({"op": 0, "t": event, "s": number, "d": readable(what, intents)})


async def fields_of(request: web.Request) -> tuple[dict[str, Any], list[Any]]:
    if request.content_type == "multipart/form-data":
        fields: dict[str, Any] = {}
        files: list[Any] = []
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                files.append((value.filename, value.file.read()))
            elif name == "payload_json":
                fields = json.loads(str(value))
        return fields, files
    return (await request.json() if request.can_read_body and request.content_length else {}), []


def answer(what: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    # Discord names no character set, and discord.py reads as JSON only what is called exactly that
    return web.Response(body=json.dumps(what).encode(), status=status, headers=headers, content_type="application/json")


def error(status: int, code: int, words: str) -> web.Response:
    return answer({"message": words, "code": code}, status=status)


async def send(socket: web.WebSocketResponse, frame: str) -> None:
    with suppress(ConnectionError):
        await socket.send_str(frame)
