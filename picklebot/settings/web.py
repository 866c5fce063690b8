"""What agents may reach of the web, and what they search it with. Knows nothing of how."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from picklebot.settings.values import Misplaced, Section, Url, VariableName

Address: TypeAlias = IPv4Address | IPv6Address
USUAL_PORTS = frozenset({80, 443})


@dataclass(frozen=True, slots=True)
class Permit:
    """Addresses that the operator opened beside the public ones; `port` None means the usual ones."""

    network: IPv4Network | IPv6Network
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Permit":
        """Read `10.0.0.0/8`, `192.168.1.10:8080` or `[fd00::1]:8080`.

        Raises:
            ValueError: it is none of these.
        """
        host, port = text, ""
        if text.startswith("["):
            host, closed, rest = text[1:].partition("]")
            port = rest.removeprefix(":") if closed else "?"
        elif text.count(":") == 1:
            host, _, port = text.partition(":")
        if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError(f"{text!r} ends in no port")
        try:
            return cls(ip_network(host), int(port) if port else None)
        except ValueError:
            raise ValueError(
                f"{text!r} is no address: write one such as 192.168.1.10:8080, [fd00::1]:80 or 10.0.0.0/8"
            ) from None

    def covers(self, address: Address, port: int) -> bool:
        """Return whether it opens this address and port."""
        return address in self.network and (port == self.port if self.port is not None else port in USUAL_PORTS)


def _permit(text: str) -> str:
    Permit.parse(text)
    return text


class SearchSettings(Section):
    """What web_search asks."""

    provider: Literal["searxng", "brave"] = Field(description="Kind of search service.")
    url: Url | None = Field(default=None, description="Its address; needed for searxng, null means Brave's own.")
    key_env: VariableName | None = Field(
        default=None, description="Variable that holds the key of the service; needed for brave."
    )

    @model_validator(mode="after")
    def _be_whole(self) -> "SearchSettings":
        if self.provider == "searxng" and self.url is None:
            raise Misplaced("is needed for searxng: the address of a server of yours", "url")
        if self.provider == "brave" and self.key_env is None:
            raise Misplaced("is needed for brave: the variable that holds its key", "key_env")
        return self


class WebSettings(Section):
    """What agents may reach of the web."""

    allow: tuple[Annotated[str, AfterValidator(_permit)], ...] = Field(
        default=(),
        max_length=100,
        description="Addresses that web_fetch may reach beside the public ones, such as 192.168.1.10:8080.",
    )
    search: SearchSettings | None = Field(
        default=None, description="Service that web_search asks; null means no web_search."
    )
