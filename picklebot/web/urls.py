"""Addresses of pages, taken apart strictly.

Promises that what is returned means the same to every later reader: one spelling of the host, no user, no trick of
whitespace, backslash or number. Knows nothing of where a name leads.
"""

import re
from ipaddress import ip_address

from yarl import URL

from picklebot.errors import ToolError

MAX_URL = 2_048  #: characters
_ODD = re.compile(r"[\x00-\x20\x7f-\x9f\\\u2028\u2029\ufeff\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
_NUMERIC = re.compile(r"(0[xX][0-9a-fA-F]*|\d+)")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def parse(text: str) -> URL:
    """Return the address that `text` is.

    Raises:
        ToolError: it is none that may be asked, in words.
    """
    text = text.strip(" \t\r\n")
    if len(text) > MAX_URL:
        raise ToolError(f"the address has {len(text):,} characters; {MAX_URL:,} are allowed")
    if found := _ODD.search(text):
        raise ToolError(f"the address holds {found[0]!r}, which no address does; write it percent-encoded")
    try:
        url = URL(text)
        host = (url.raw_host or "").rstrip(".").lower()
    except ValueError as exc:
        raise ToolError(f"{text!r} is no address: {exc}") from exc
    if url.scheme not in {"http", "https"} or not host:
        raise ToolError(f"{text!r} should begin with http:// or https:// and name a host")
    if url.raw_user is not None or url.raw_password is not None:
        raise ToolError("the address holds a user or password; these are not sent")
    _check_host(host)
    return url.with_host(host).with_fragment(None)


def join(base: URL, location: str) -> URL:
    """Return where a redirect from `base` leads.

    Raises:
        ToolError: nowhere that may be asked.
    """
    if len(location) > MAX_URL or _ODD.search(location):
        raise ToolError(f"{base.host} redirects to something that is no address")
    try:
        return parse(str(base.join(URL(location, encoded=True))))
    except ValueError as exc:
        raise ToolError(f"{base.host} redirects to something that is no address") from exc


def _check_host(host: str) -> None:
    try:
        ip_address(host)
    except ValueError:
        pass
    else:
        return
    labels = host.split(".")
    # As browsers read them, 2130706433, 0x7f000001 and 0177.0.0.1 are numbers too; here they are nothing.
    if _NUMERIC.fullmatch(labels[-1]):
        raise ToolError(f"{host!r} is a number in an odd spelling; write a name, or four numbers from 0 to 255")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ToolError(f"{host!r} is no name of a host")
