"""Where a platform is, as a setting says it. Promises that a token goes over a network only encrypted."""

from urllib.parse import urlsplit

from picklebot.errors import ConfigError
from picklebot.settings.values import is_loopback


def endpoint(base_url: str) -> str:
    """Return an address without a slash at its end.

    Raises:
        ConfigError: a token would go there in the clear.
    """
    try:
        parts = urlsplit(base_url)
        safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    except ValueError:
        safe = False
    if not safe:
        raise ConfigError(f"base_url: {base_url!r} would carry the token unencrypted: write https://...")
    return base_url.rstrip("/")
