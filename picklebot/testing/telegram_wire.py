"""How a Telegram on loopback reads a request and writes an answer. Knows no method."""

import json
from collections.abc import Mapping
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, cast

from picklebot.testing.faults import Plan, response_head
from picklebot.testing.loopback_http import HTTPRequest


def fields_of(request: HTTPRequest) -> dict[str, Any]:
    """Return what a request holds; a file is (name, bytes)."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        return dict(json.loads(request.content or b"{}"))
    message = BytesParser(EmailMessage, policy=HTTP).parsebytes(
        b"Content-Type: " + kind.encode() + b"\r\n\r\n" + request.content
    )
    fields: dict[str, Any] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = cast("bytes", part.get_payload(decode=True))
        file = part.get_filename()
        fields[str(name)] = (file, content) if file else content.decode()
    return fields


def result(value: Any) -> Plan:
    """Answer that all went well."""
    return answer(200, json.dumps({"ok": True, "result": value}).encode())


def error(code: int, description: str, parameters: Mapping[str, Any] | None = None) -> Plan:
    """Answer with an error of the Bot API's shape."""
    told: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
    return answer(code, json.dumps({**told, **({"parameters": parameters} if parameters else {})}).encode())


def answer(code: int, content: bytes) -> Plan:
    """Answer with bytes."""
    head = response_head(code, {"content-type": "application/json", "content-length": str(len(content))})
    return [head + content]
