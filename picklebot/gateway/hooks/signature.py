"""Who signed a webhook: four styles, one answer.

Promises that a delivery is believed only if its raw body was signed with the hook's secret, compared in constant time,
and where the style has a timestamp, a recent one that was signed too. Every refusal is the same class, and its words
are for the log only: whoever knocks hears one answer. Knows no HTTP server and no agent.

The styles, as their makers document them:

- picklebot: docs/programs.md
- github: docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
- standard: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md
- stripe: docs.stripe.com/webhooks#verify-manually
"""

import hmac
import json
import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import cast

from picklebot.settings.edges import SignatureStyle as Style

_SECONDS = re.compile(r"[0-9]{1,12}")
_STANDARD_PREFIX = "whsec_"
MAX_ID = 200  #: characters of a delivery's id


class Unsigned(Exception):
    """A delivery that nobody can vouch for. The message is for the log, never for the sender."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A delivery that was signed. `key`: the same one again is the same delivery."""

    key: str
    proof: str
    """What was signed, as a digest: a copy of the request has the same one, whatever its unsigned headers say.

    "" where no time is signed: then the same words may well be another delivery.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Knock:
    """A request as it came. `headers` by their names in lower case."""

    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header.

        Raises:
            Unsigned: it is not there.
        """
        value = self.headers.get(name.lower(), "")
        if not value:
            raise Unsigned(f"it has no {name}")
        return value


def verify(style: Style, knock: Knock, *, secret: str, now: float, window: float) -> Delivery:
    """Return the delivery that `knock` is. `now` and `window` are seconds.

    Raises:
        Unsigned: nobody can vouch for it.
    """
    return _STYLES[style](knock, secret, now, window)


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """Return the `X-Picklebot-Signature` of a body that is sent at `timestamp`, in Unix seconds."""
    return "v1=" + _mac(secret.encode(), b"%d.%s" % (timestamp, body)).hex()


def _picklebot(knock: Knock, secret: str, now: float, window: float) -> Delivery:
    stamp = _recent(knock.header("X-Picklebot-Timestamp"), now, window)
    mac = _mac(secret.encode(), b"%s.%s" % (stamp.encode(), knock.body))
    given = (entry.strip() for entry in knock.header("X-Picklebot-Signature").split(","))
    _match(f"v1={mac.hex()}", given)
    return _delivery(knock, "x-picklebot-delivery", mac)


def _github(knock: Knock, secret: str, now: float, window: float) -> Delivery:
    mac = _mac(secret.encode(), knock.body)
    _match(f"sha256={mac.hex()}", [knock.header("X-Hub-Signature-256")])
    return replace(_delivery(knock, "x-github-delivery", mac), proof="")


def _standard(knock: Knock, secret: str, now: float, window: float) -> Delivery:
    name = knock.header("webhook-id")
    stamp = _recent(knock.header("webhook-timestamp"), now, window)
    mac = _mac(_standard_key(secret), b"%s.%s.%s" % (name.encode("utf-8", "replace"), stamp.encode(), knock.body))
    _match(f"v1,{b64encode(mac).decode()}", knock.header("webhook-signature").split())
    return _delivery(knock, "webhook-id", mac)


def _stripe(knock: Knock, secret: str, now: float, window: float) -> Delivery:
    entries = [entry.strip() for entry in knock.header("Stripe-Signature").split(",")]
    stamps = [entry[2:] for entry in entries if entry.startswith("t=")]
    if len(stamps) != 1:
        raise Unsigned("its Stripe-Signature has no single timestamp")
    stamp = _recent(stamps[0], now, window)
    mac = _mac(secret.encode(), b"%s.%s" % (stamp.encode(), knock.body))
    _match(f"v1={mac.hex()}", entries)
    return Delivery(key=_event_in(knock.body), proof=mac.hex())  # no header names it, and each attempt is signed anew


_STYLES: Mapping[Style, Callable[[Knock, str, float, float], Delivery]] = {
    "picklebot": _picklebot,
    "github": _github,
    "standard": _standard,
    "stripe": _stripe,
}


def _mac(key: bytes, material: bytes) -> bytes:
    return hmac.digest(key, material, "sha256")


def _match(expected: str, given: Iterable[str]) -> None:
    # Every entry is compared, so that the time says nothing of which one was nearly right.
    matches = [hmac.compare_digest(expected.encode(), entry.encode("utf-8", "replace")) for entry in given]
    if not any(matches):
        raise Unsigned("its signature is not that of its body and this hook's secret")


def _recent(stamp: str, now: float, window: float) -> str:
    if not _SECONDS.fullmatch(stamp):
        raise Unsigned("its timestamp is no number of seconds")
    if abs(now - int(stamp)) > window:
        raise Unsigned(f"its timestamp is {abs(now - int(stamp)):.0f} s away from now, {window:.0f} are allowed")
    return stamp


def _delivery(knock: Knock, header: str, mac: bytes) -> Delivery:
    name = knock.headers.get(header, "")
    if len(name) > MAX_ID:
        raise Unsigned(f"its {header} has {len(name)} characters, {MAX_ID} are allowed")
    return Delivery(key=f"id-{name}" if name else f"proof-{mac.hex()}", proof=mac.hex())


def _event_in(body: bytes) -> str:
    """Return what names the event that a body is about: its own `id`, which is signed with it, else all of it."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        event = None
    name = cast("dict[str, object]", event).get("id") if isinstance(event, dict) else None
    whole = f"body-{sha256(body).hexdigest()}"
    return f"id-{name}" if isinstance(name, str) and 0 < len(name) <= MAX_ID else whole


def _standard_key(secret: str) -> bytes:
    """Return the key that a `whsec_` secret spells; any other text is the key itself."""
    if not secret.startswith(_STANDARD_PREFIX):
        return secret.encode()
    try:
        return b64decode(secret.removeprefix(_STANDARD_PREFIX), validate=True)
    except NotBase64:
        return secret.encode()
