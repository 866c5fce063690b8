"""Who signed a webhook (S24): each style, and everything that is no signature."""

import hmac
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picklebot.gateway.hooks.signature import Knock, Unsigned, sign, verify
from picklebot.settings.edges import SignatureStyle

SECRET = "it is a secret"
NOW = 1_900_000_000
BODY = b'{"action":"opened","id":"evt_1"}'

Signer: TypeAlias = Callable[[bytes, int], Mapping[str, str]]


def hexed(material: bytes, key: bytes = SECRET.encode()) -> str:
    return hmac.digest(key, material, "sha256").hex()


def picklebot(body: bytes, at: int) -> Mapping[str, str]:
    return {
        "x-picklebot-timestamp": str(at),
        "x-picklebot-signature": f"v1={hexed(b'%d.%s' % (at, body))}",
        "x-picklebot-delivery": "d1",
    }


def github(body: bytes, at: int) -> Mapping[str, str]:
    return {"x-hub-signature-256": f"sha256={hexed(body)}", "x-github-delivery": "d1"}


def standard(body: bytes, at: int) -> Mapping[str, str]:
    mac = hmac.digest(SECRET.encode(), b"d1.%d.%s" % (at, body), "sha256")
    return {
        "webhook-id": "d1",
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1a,zzz v1,{b64encode(mac).decode()}",
    }


def stripe(body: bytes, at: int) -> Mapping[str, str]:
    return {"stripe-signature": f"t={at},v1={'0' * 64},v1={hexed(b'%d.%s' % (at, body))},v0=abc"}


SIGNERS: Mapping[SignatureStyle, Signer] = {
    "picklebot": picklebot,
    "github": github,
    "standard": standard,
    "stripe": stripe,
}
each_style = pytest.mark.parametrize("style", SIGNERS)
each_dated_style = pytest.mark.parametrize("style", [style for style in SIGNERS if style != "github"])


def check(style: SignatureStyle, headers: Mapping[str, str], body: bytes = BODY, *, now: float = NOW) -> str:
    knock = Knock(headers=headers, body=body)
    return verify(style, knock, secret=SECRET, now=now, window=300).key


@each_style
def test_what_was_signed_is_believed_and_has_the_name_that_its_sender_gave_it(style: SignatureStyle) -> None:
    expected = "id-evt_1" if style == "stripe" else "id-d1"
    assert check(style, SIGNERS[style](BODY, NOW)) == expected


@each_style
def test_a_bit_that_was_flipped_anywhere_in_the_body_is_noticed(style: SignatureStyle) -> None:
    headers = SIGNERS[style](BODY, NOW)
    for place in range(len(BODY) * 8):
        flipped = bytearray(BODY)
        flipped[place // 8] ^= 1 << place % 8
        with pytest.raises(Unsigned):
            check(style, headers, bytes(flipped))


@each_style
def test_without_any_one_of_what_signs_it_nothing_is_believed(style: SignatureStyle) -> None:
    headers = SIGNERS[style](BODY, NOW)
    for name in headers:
        if name.endswith("-delivery"):
            continue
        with pytest.raises(Unsigned):
            check(style, {key: value for key, value in headers.items() if key != name})
        with pytest.raises(Unsigned):
            check(style, {**headers, name: ""})
        with pytest.raises(Unsigned):
            check(style, {**headers, name: "\udcff é"})


@each_style
def test_another_secret_signs_nothing(style: SignatureStyle) -> None:
    with pytest.raises(Unsigned):
        verify(style, Knock(headers=SIGNERS[style](BODY, NOW), body=BODY), secret="another", now=NOW, window=300)


@each_dated_style
def test_what_was_signed_too_long_ago_or_for_later_is_refused(style: SignatureStyle) -> None:
    headers = SIGNERS[style](BODY, NOW)
    assert check(style, headers, now=NOW + 300) == check(style, headers, now=NOW - 300)
    for now in (NOW + 301, NOW - 301):
        with pytest.raises(Unsigned, match="s away from now"):
            check(style, headers, now=now)


@each_dated_style
def test_an_old_request_with_a_new_timestamp_is_not_signed(style: SignatureStyle) -> None:
    headers = {key: value.replace(str(NOW), str(NOW + 900)) for key, value in SIGNERS[style](BODY, NOW).items()}
    with pytest.raises(Unsigned, match="its signature is not"):
        check(style, headers, now=NOW + 900)


def test_what_has_no_name_is_the_same_delivery_only_if_all_of_it_is() -> None:
    def key(body: bytes, at: int) -> str:
        headers = {name: value for name, value in picklebot(body, at).items() if name != "x-picklebot-delivery"}
        return check("picklebot", headers, body)

    assert key(b"a", NOW) == key(b"a", NOW)
    assert len({key(b"a", NOW), key(b"b", NOW), key(b"a", NOW + 1)}) == 3


def test_a_secret_of_the_standard_is_read_as_it_is_written() -> None:
    secret = "whsec_" + b64encode(b"raw key").decode()
    mac = hmac.digest(b"raw key", b"d1.%d.%s" % (NOW, BODY), "sha256")
    headers = {
        "webhook-id": "d1",
        "webhook-timestamp": str(NOW),
        "webhook-signature": f"v1,{b64encode(mac).decode()}",
    }
    assert verify("standard", Knock(headers=headers, body=BODY), secret=secret, now=NOW, window=300).key == "id-d1"


def test_our_own_way_is_one_function_for_whoever_sends() -> None:
    headers = {"x-picklebot-timestamp": str(NOW), "x-picklebot-signature": sign(SECRET, NOW, BODY)}
    assert check("picklebot", headers).startswith("proof-")


@given(
    style=st.sampled_from(list(SIGNERS)),
    values=st.lists(st.text(max_size=40) | st.just(str(NOW)) | st.just(f"t={NOW},v1=a"), min_size=3, max_size=3),
    body=st.binary(max_size=40),
)
def test_what_nobody_signed_is_refused_whatever_it_is(style: SignatureStyle, values: list[str], body: bytes) -> None:
    with pytest.raises(Unsigned):
        check(style, dict(zip(SIGNERS[style](b"", NOW), values, strict=False)), body)
