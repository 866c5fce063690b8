"""Where people and programs come in: the gateway, its webhooks, the channels.

Promises that the daemon is open to other machines only with a token. Knows no platform's options: those belong to
the platform's module, and are checked when it is loaded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias, cast

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from picklebot.settings.values import (
    NO_VARIABLE,
    VARIABLE,
    AgentId,
    Deliver,
    Duration,
    HookName,
    HookTemplate,
    Misplaced,
    Section,
    VariableName,
    is_loopback,
    nearest,
)

KNOWN_CHANNELS: Mapping[str, Mapping[str, Any]] = {
    "cli": {"enabled": True},
    "telegram": {"token_env": "TELEGRAM_BOT_TOKEN"},
    "discord": {"token_env": "DISCORD_BOT_TOKEN"},
    "slack": {"token_env": "SLACK_BOT_TOKEN", "app_token_env": "SLACK_APP_TOKEN"},
    "file": {},
}
"""The channels that come with picklebot, and what is set for each where the file says nothing."""


SignatureStyle: TypeAlias = Literal["picklebot", "github", "standard", "stripe"]


class HookSettings(Section):
    """A webhook: `POST /hooks/<name>`, signed with its own secret."""

    secret_env: VariableName = Field(description="Variable that holds the secret which signs the requests.")
    signature: SignatureStyle = Field(default="picklebot", description="Whose way of signing the sender follows.")
    agent: AgentId | None = Field(default=None, description="Agent that answers; null leaves it to the routing.")
    template: HookTemplate = Field(
        default="Say in a few lines what this is about, and whether anything should be done.\n\n{{ body }}",
        min_length=1,
        max_length=20_000,
        description="The prompt, with {{ body.some.path }} and {{ headers.some-name }} in it.",
    )
    session: Literal["fresh", "keep"] = Field(
        default="fresh", description="fresh: each delivery has a session of its own; keep: all share one."
    )
    deliver: Deliver = Field(default="none", description="Where the reply goes: none, last, or a source.")
    max_bytes: int = Field(default=262_144, ge=1, le=10_000_000, description="Largest request that is read.")
    window: Duration = Field(default=300.0, gt=0, le=86400, description="How old a signed request may be.")


class GatewaySettings(Section):
    """HTTP and WebSocket on one port."""

    enabled: bool = Field(default=True, description="Whether the daemon listens.")
    host: str = Field(
        default="127.0.0.1", min_length=1, description="Address to listen on; any but loopback needs token_env."
    )
    port: int = Field(default=8765, ge=0, le=65535, description="Port to listen on; 0 takes any free one.")
    token_env: VariableName | None = Field(
        default=None, description="Variable that holds the token; null makes one and keeps it in the state folder."
    )
    allow_hosts: tuple[str, ...] = Field(
        default=(), description="Further names it answers to, such as that of a proxy before it."
    )
    max_connections: int = Field(
        default=100, ge=1, le=100_000, description="Connections at once, WebSockets among them; further ones get 503."
    )
    hooks: Mapping[HookName, HookSettings] = Field(
        default_factory=dict[HookName, HookSettings], description="Webhooks by name."
    )

    @model_validator(mode="after")
    def _stay_at_home_without_a_token(self) -> "GatewaySettings":
        if self.enabled and not is_loopback(self.host) and self.token_env is None:
            raise Misplaced(
                f"{self.host!r} can be reached by other machines: name a variable with the token in "
                "gateway.token_env, or listen on 127.0.0.1",
                "host",
            )
        return self


@dataclass(frozen=True, slots=True)
class _Unknown:
    """A channel that neither comes with picklebot nor says which module makes it."""

    name: str


def _as_written(given: Any) -> Any:
    """Take a number for the id that it is: nobody quotes one in YAML."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


PersonId = Annotated[str, BeforeValidator(_as_written), StringConstraints(min_length=1, max_length=100)]
_DOOR = frozenset({"allow", "guest_tools", "guest_rate"})  # what the door asks, and no platform


class ChannelSettings(Section):
    """A platform that people talk on. Keys beyond these are the platform's own."""

    model_config = ConfigDict(extra="allow")

    enabled: bool = Field(default=False, description="Whether the daemon connects to it.")
    use: str | None = Field(
        default=None,
        description="Module that makes the channel, as pkg.module or pkg.module:name, for one of your own.",
    )
    allow: tuple[PersonId, ...] = Field(
        default=(), description="Ids of the owner's accounts there; empty means nobody but those who were paired."
    )
    guest_tools: tuple[str, ...] = Field(
        default=("web_fetch", "web_search", "use_skill"), description="Tools for those who were paired as guests."
    )
    guest_rate: int = Field(default=10, ge=1, le=10_000, description="Messages of one guest in a minute.")
    token_env: VariableName | None = Field(default=None, description="Variable that holds the platform's token.")

    @model_validator(mode="before")
    @classmethod
    def _know_it(cls, given: Any) -> Any:
        if isinstance(given, _Unknown):
            hint = nearest(given.name, list(KNOWN_CHANNELS))
            raise ValueError(f"unknown channel {given.name!r}; {hint} (one of your own says `use: pkg.module`)")  # noqa: TRY004  # pydantic reports ValueError only
        return given

    @model_validator(mode="after")
    def _name_variables(self) -> "ChannelSettings":
        for key, value in (self.model_extra or {}).items():
            if key.endswith("_env") and not (isinstance(value, str) and VARIABLE.fullmatch(value)):
                raise Misplaced(NO_VARIABLE, key)
        return self

    @property
    def options(self) -> dict[str, Any]:
        """What the platform's module is given: what is its own, and the names of its secrets."""
        return self.model_dump(exclude={"enabled", "use", *_DOOR}, exclude_none=True)


def with_known_channels(given: Any) -> Any:
    """Return the channels of a file with those added that it leaves out, each with its defaults."""
    if not isinstance(given, Mapping):
        return given
    channels: dict[str, Any] = {name: dict(defaults) for name, defaults in KNOWN_CHANNELS.items()}
    for name, settings in cast("Mapping[str, Any]", given).items():
        if not isinstance(settings, Mapping | None):
            channels[name] = settings
            continue
        options = cast("Mapping[str, Any]", settings or {})
        if name not in KNOWN_CHANNELS and not options.get("use"):
            channels[name] = _Unknown(name)
        else:
            channels[name] = {**channels.get(name, {}), **options}
    return channels
