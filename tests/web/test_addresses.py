"""S47 to S49: which addresses are public, in every spelling."""

import ipaddress

import pytest

from picklebot.errors import ToolDenied, ToolError
from picklebot.settings.web import Permit
from picklebot.web import urls
from picklebot.web.addresses import Reach, is_public

CLOSED = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "4000::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "172.32.0.1",
    "192.0.1.1",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "2001:4860:4860::8888",
]


@pytest.mark.parametrize("address", CLOSED)
def test_an_address_that_is_not_public_is_closed(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    with pytest.raises(ToolDenied, match="not on the public internet"):
        Reach().check("a.example", address, 443)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_open_on_the_ports_of_the_web(address: str) -> None:
    Reach().check("a.example", address, 80)
    Reach().check("a.example", address, 443)
    with pytest.raises(ToolDenied, match="port 22"):
        Reach().check("a.example", address, 22)


def test_the_operator_opens_single_addresses() -> None:
    reach = Reach([Permit.parse("192.168.1.10:8080"), Permit.parse("10.1.0.0/16"), Permit.parse("[fd00::1]:81")])
    reach.check("printer", "192.168.1.10", 8080)
    reach.check("wiki", "10.1.2.3", 443)
    reach.check("box", "fd00::1", 81)
    for address, port in (("192.168.1.10", 80), ("192.168.1.11", 8080), ("10.1.2.3", 22), ("10.2.0.1", 443)):
        with pytest.raises(ToolDenied):
            reach.check("other", address, port)


@pytest.mark.parametrize(
    "text", ["printer:80", "10.0.0.0/33", "10.0.0.1:0", "10.0.0.1:http", "", "[::1", "1.2.3.4:70000"]
)
def test_what_is_no_address_cannot_be_opened(text: str) -> None:
    with pytest.raises(ValueError, match=r"no address|no port"):
        Permit.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://0/",
        "http://user@a.example/",
        "http://user:word@a.example/",
        "http://allowed.example\x00.evil.example/",
        "http://a.example\\@evil.example/",
        "http://a.example/\r\nHost: evil.example",
        "http://exa\u200bmple.com/",
        "http://a.example:99999/",
        "http://-a.example/",
        "http://" + "a" * 64 + ".example/",
        "http:///etc/passwd",
        "file:///etc/passwd",
        "ftp://a.example/",
        "javascript:alert(1)",
        "gopher://127.0.0.1:6379/_x",
        "a.example",
        "",
        "http://[::1",
        "http://a.example/" + "x" * 3000,
    ],
)
def test_an_address_with_a_trick_in_it_is_refused(text: str) -> None:
    with pytest.raises(ToolError):
        urls.parse(text)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("HTTP://A.Example.:80/x?y#z", "http://a.example/x?y"),
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
        ("http://１２７.0.0.1/", "http://127.0.0.1/"),
        ("  http://a.example/  ", "http://a.example/"),
        ("http://[2606:4700::1]:8080/", "http://[2606:4700::1]:8080/"),
    ],
)
def test_an_address_is_read_in_one_spelling(text: str, read: str) -> None:
    assert str(urls.parse(text)) == read
