"""How a Telegram on loopback reads a request and writes an answer. Knows no method."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, cast

from picklebot.testing.faults import End, Plan, response_head
from picklebot.testing.loopback_http import HTTPRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What happens to a call: an answer with an error, with bytes (`raw`) that are none, or no answer.

    `cut`: the connection breaks, in the middle of a file; `hang`: nothing comes. `after`: the call had its effect.
    """

    code: int = 500
    description: str = "Internal Server Error"
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    raw: bytes | None = None
    cut: bool = False
    hang: bool = False
    after: bool = False

    def plan(self, content: bytes = b"") -> Plan:
        """Return what is sent; `content` is what would have been."""
        if self.hang:
            return [End.HANG]
        if self.cut:
            head = response_head(200, {"content-length": str(len(content))})
            return [head + content[: len(content) // 2], End.RESET] if content else [End.RESET]
        if self.raw is not None:
            return answer(self.code, self.raw)
        return error(self.code, self.description, self.parameters)


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
