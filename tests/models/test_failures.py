"""What a refusal means, and what it says."""

import socket
import ssl
from typing import Any

import pytest

from picklebot.errors import ContextTooLong, ModelError, ModelRejected, ModelUnavailable
from picklebot.models.failures import retry_after, status_error, transport_reason

KEY = "sk-ant-very-secret"


def refusal(message: str, kind: str = "invalid_request_error", **fields: Any) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message, **fields}}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        *((status, None, ModelUnavailable) for status in (408, 409, 429, 500, 502, 503, 504, 520, 529)),
        *((status, refusal("no"), ModelRejected) for status in (400, 401, 402, 403, 404, 405, 422)),
        (413, refusal("too big", "request_too_large"), ContextTooLong),
        (413, "<html>nginx</html>", ContextTooLong),
        (400, refusal("prompt is too long: 210000 tokens > 200000 maximum"), ContextTooLong),
        (400, refusal("input length and `max_tokens` exceed context limit: 1 + 2 > 2"), ContextTooLong),
        (400, refusal("This model's maximum context length is 4096 tokens."), ContextTooLong),
        (400, refusal("the request exceeds the available context size", "exceed_context_size_error"), ContextTooLong),
        (400, refusal("Please reduce your prompt", code="context_length_exceeded"), ContextTooLong),
        (400, refusal("Your credit balance is too low"), ModelRejected),
        (429, refusal("limit", details={"error_code": "enforced_spend_limit_reached"}), ModelRejected),
        (429, refusal("limit", details={"error_code": "contract_spend_limit_reached"}), ModelRejected),
        (429, refusal("grow slower", details={"error_code": "ramp_limit_exceeded"}), ModelUnavailable),
        (429, refusal("You exceeded your current quota", code="insufficient_quota"), ModelRejected),
        (301, "", ModelRejected),
        (308, "", ModelRejected),
        (302, "", ModelUnavailable),
    ],
)
def test_a_status_says_whether_to_wait_to_mend_or_to_shorten(status: int, body: Any, error: type[ModelError]) -> None:
    assert type(status_error(status, body, {})) is error


def test_a_limit_that_says_not_to_try_again_is_a_refusal_unless_it_says_when() -> None:
    headers = {"x-should-retry": "false"}
    assert isinstance(status_error(429, None, headers), ModelRejected)
    assert isinstance(status_error(429, None, {**headers, "retry-after": "5"}), ModelUnavailable)


@pytest.mark.parametrize(
    ("status", "hint"), [(401, "key"), (402, "billing"), (403, "allowed to use"), (404, "model's name")]
)
def test_a_refusal_names_what_to_check(status: int, hint: str) -> None:
    assert hint in str(status_error(status, refusal("no"), {}))


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 413, 422, 429, 500, 529])
@pytest.mark.parametrize(
    "body", [refusal(f"the key {KEY} is bad"), f"bad {KEY}", {"error": KEY}, {"error": {"message": KEY}}]
)
def test_no_error_holds_the_key(status: int, body: Any) -> None:
    assert KEY not in str(status_error(status, body, {"retry-after": KEY}, secret=KEY))


def test_a_web_page_is_not_quoted_and_a_long_story_is_cut() -> None:
    assert str(status_error(502, "<html><body>Bad gateway</body></html>", {})) == "the model is not available (502)"
    assert len(str(status_error(500, "x" * 100_000, {}))) < 400


@pytest.mark.parametrize(
    "body", [None, "", [], 3, {"error": None}, {"error": {"message": 3}}, {"detail": "x"}, b"\xff"]
)
def test_a_body_of_any_shape_makes_a_sentence(body: Any) -> None:
    assert str(status_error(529, body, {})) == "the model is not available (529)"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "86400"}, 86_400.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "NaN"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 -0000", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:00:00 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT"}, None),
        ({"retry-after": "Wed, 99 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
    ],
)
def test_the_wait_is_taken_as_said_if_it_makes_sense(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds
    error = status_error(529, None, headers)
    assert isinstance(error, ModelUnavailable)
    assert error.retry_after == seconds


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (socket.gaierror(-2, "Name or service not known"), "its name cannot be resolved"),
        (ConnectionRefusedError(111, "refused"), "nothing listens there"),
        (ConnectionResetError(104, "reset"), "it was reset"),
        (TimeoutError(), "it took too long"),
        (ssl.SSLCertVerificationError(1, "certificate verify failed"), "TLS failed"),
        (OSError("Server disconnected"), "it was cut"),
        (OSError("something rare"), "something rare"),
        (OSError(), "OSError"),
    ],
)
def test_a_broken_connection_says_why_in_plain_words(cause: Exception, reason: str) -> None:
    error = RuntimeError("Connection error.")
    error.__cause__ = cause
    assert transport_reason(error).startswith(reason)
