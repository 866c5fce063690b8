"""What an endpoint's refusal means for us: wait, mend something, or shorten the conversation.

Promises one plain sentence per refusal, that never carries a key, and `retry_after` exactly as the endpoint said
it: capping it is the caller's business. Knows no SDK, so that any adapter over HTTP can use it.
"""

import math
import re
import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import cast

from picklebot.core.text import shorten
from picklebot.errors import ContextTooLong, ModelError, ModelRejected, ModelUnavailable

MAX_WORDS = 300  #: characters of the endpoint's own words that we pass on

# Anthropic, vLLM, llama.cpp, LiteLLM and OpenAI each say it in their own way.
_TOO_LONG = re.compile(
    r"prompt is too long|context[_ ](length|window|size|limit)|exceeds? the available context"
    r"|maximum context|input is too long|ContextWindowExceeded",
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"(?:> *|maximum context length is |context (?:size|length|window|limit)[^0-9]{0,40}?)([0-9][0-9,]{3,})",
    re.IGNORECASE,
)
_SPENT = re.compile(r"spend_limit|spend limit|insufficient_quota|credit balance", re.IGNORECASE)
_CUT = re.compile("not enough data|not completed|incomplete|disconnected", re.IGNORECASE)
_WAIT = frozenset({408, 409, 425, 429})
_KINDS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
}
_CHECK = {
    401: "check that the key is set, complete and still valid",
    402: "check the account's billing and credit",
    403: "check what the key, its workspace and its account are allowed to use",
    404: "check the model's name and base_url",
}


def status_error(status: int, body: object, headers: Mapping[str, str], *, secret: str = "") -> ModelError:
    """Return the error for an HTTP answer that is not a success. `headers` have lower-case names."""
    words = _words(body, secret)
    if status == 413 or (400 <= status < 500 and _TOO_LONG.search(words)):
        return _too_long(words)
    wait = retry_after(headers)
    if status == 429 and (_SPENT.search(words) or (wait is None and headers.get("x-should-retry") == "false")):
        return ModelRejected(_sentence("the account has reached its spend limit (429)", words))
    if status in _WAIT or status >= 500:
        what = "the model is limiting our rate" if status == 429 else "the model is not available"
        return ModelUnavailable(_sentence(f"{what} ({status})", words), retry_after=wait)
    if status in (301, 308):
        return ModelRejected(f"the endpoint answered with a redirect ({status}): set base_url to where it leads")
    if status < 400:
        return ModelUnavailable(f"the endpoint answered with status {status}, as a captive portal would")
    if hint := _CHECK.get(status):
        # Some endpoints repeat the refused key, whole or in part, so their words on a 401 stay out.
        reason = "" if status == 401 else words
        return ModelRejected(_sentence(f"the model refused the request ({status})", reason) + f"; {hint}")
    return ModelRejected(_sentence(f"the model refused the request ({status})", words))


def event_error(error: object, *, secret: str = "") -> ModelError:
    """Return the error for an `error` event in the middle of a stream."""
    if status := _KINDS.get(str(mapping(error).get("type"))):
        return status_error(status, mapping(error), {}, secret=secret)
    words = _words(error, secret)
    if _TOO_LONG.search(words):
        return _too_long(words)
    return ModelUnavailable(_sentence("the model broke off its answer", words))


def _too_long(words: str) -> ContextTooLong:
    """Return the error for a conversation that is too long; many servers say how long it may be."""
    found = _LIMIT.search(words)
    limit = int(found[1].replace(",", "")) if found else None
    return ContextTooLong(_sentence("the conversation is too long for the model", words), limit=limit)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that the endpoint asks us to wait, if it asks for something sensible (RFC 9110, 10.2.3)."""
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    said = headers.get("retry-after", "")
    if (seconds := _number(said)) is not None:
        return seconds
    # A moment is measured from the endpoint's own clock, so that ours may be wrong.
    until, now = _moment(said), _moment(headers.get("date", ""))
    return max((until - now).total_seconds(), 0.0) if until and now else None


def transport_reason(exc: BaseException) -> str:
    """Return in plain words why a connection failed, from whatever a library raised and what it was raised from."""
    link: BaseException | None = exc
    while link:
        match link:
            case socket.gaierror():
                return "its name cannot be resolved"
            case ssl.SSLError():
                return f"TLS failed ({shorten(link.strerror or str(link), MAX_WORDS)})"
            case ConnectionRefusedError():
                return "nothing listens there"
            case ConnectionResetError() | BrokenPipeError():
                return "it was reset"
            case TimeoutError():
                return "it took too long"
            case _:
                exc, link = link, link.__cause__ or link.__context__
    return "it was cut" if _CUT.search(str(exc)) else shorten(str(exc) or type(exc).__name__, MAX_WORDS)


def mapping(value: object) -> Mapping[str, object]:
    """Return `value` if it is a JSON object, else an empty one."""
    return cast(Mapping[str, object], value) if isinstance(value, Mapping) else {}


def redact(text: str, secret: str) -> str:
    """Return `text` without `secret`."""
    return text.replace(secret, "***") if len(secret) >= 4 else text


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _words(body: object, secret: str) -> str:
    """Return the endpoint's own words: its error's code and message, or the start of whatever it sent."""
    if isinstance(body, str):
        return "" if body.lstrip()[:1] == "<" else shorten(redact(body, secret), MAX_WORDS)
    error = mapping(body).get("error", body)
    if isinstance(error, str):
        return shorten(redact(error, secret), MAX_WORDS)
    fields = mapping(error)
    code = mapping(fields.get("details")).get("error_code") or fields.get("code") or fields.get("type")
    parts = [part for part in (code, fields.get("message")) if isinstance(part, str) and part]
    return shorten(redact(": ".join(parts), secret), MAX_WORDS)


def _sentence(what: str, words: str) -> str:
    return f"{what}: {words}" if words else what
