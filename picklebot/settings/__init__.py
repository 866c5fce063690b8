"""Every setting there is, with its kind, its bounds, its default and a sentence that says what it does.

Promises that a `Settings` is whole and sane, and that no name is taken that is not described here. Knows no file and no
environment: `picklebot.config` brings the values.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Field, field_validator

from picklebot.settings.context import ContextSettings as ContextSettings
from picklebot.settings.edges import ChannelSettings as ChannelSettings
from picklebot.settings.edges import GatewaySettings as GatewaySettings
from picklebot.settings.edges import HookSettings as HookSettings
from picklebot.settings.edges import with_known_channels
from picklebot.settings.models import Capabilities as Capabilities
from picklebot.settings.models import EmbeddingSettings as EmbeddingSettings
from picklebot.settings.models import Endpoint as Endpoint
from picklebot.settings.models import ModelSettings as ModelSettings
from picklebot.settings.models import PriceSettings as PriceSettings
from picklebot.settings.models import ProviderKind as ProviderKind
from picklebot.settings.models import ProviderSettings as ProviderSettings
from picklebot.settings.values import AgentId, Section, Zone
from picklebot.settings.web import SearchSettings as SearchSettings
from picklebot.settings.web import WebSettings as WebSettings
from picklebot.settings.work import BindingSettings as BindingSettings
from picklebot.settings.work import CronSettings as CronSettings
from picklebot.settings.work import DeliverySettings as DeliverySettings
from picklebot.settings.work import HeartbeatSettings as HeartbeatSettings
from picklebot.settings.work import LimitSettings as LimitSettings
from picklebot.settings.work import McpServerSettings as McpServerSettings
from picklebot.settings.work import MemorySettings as MemorySettings
from picklebot.settings.work import RoutingSettings as RoutingSettings
from picklebot.settings.work import Rule as Rule
from picklebot.settings.work import SandboxSettings as SandboxSettings
from picklebot.settings.work import ServerName
from picklebot.settings.work import ToolSettings as ToolSettings

DEFAULT_APPROVALS: Mapping[str, Rule] = {"bash": "ask-unsandboxed"}


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class StoreSettings(Section):
    """Where what must survive is kept."""

    url: str = Field(
        default="sqlite:///.picklebot/picklebot.db",
        pattern=r"^(sqlite:///.|postgresql://.)",
        repr=False,  # it may hold a password
        description="Database: sqlite:///PATH, from the workspace where PATH is relative, or postgresql://...",
    )


class LoggingSettings(Section):
    """What the daemon says about itself."""

    level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = Field(
        default="info", description="Least important kind of line that is written."
    )
    format: Literal["text", "json"] = Field(default="text", description="For people, or one JSON object a line.")


class Settings(Section):
    """The whole of config.yaml."""

    default_agent: AgentId = Field(default="pickle", description="Agent that answers where no binding matches.")
    timezone: Zone | None = Field(default=None, description="Time zone of jobs; null means the machine's.")
    model: ModelSettings = Field(default_factory=ModelSettings, description="The model that answers.")
    store: StoreSettings = Field(default_factory=StoreSettings, description="The database.")
    gateway: GatewaySettings = Field(default_factory=GatewaySettings, description="HTTP and WebSocket.")
    channels: Mapping[str, ChannelSettings] = Field(
        default_factory=dict[str, ChannelSettings],
        validate_default=True,
        description="Platforms by name: telegram, discord, slack, file, cli, or one of your own with `use`.",
    )
    routing: RoutingSettings = Field(default_factory=RoutingSettings, description="Who answers whom.")
    cron: CronSettings = Field(default_factory=CronSettings, description="Scheduled jobs.")
    heartbeat: HeartbeatSettings = Field(default_factory=HeartbeatSettings, description="Looking around unasked.")
    limits: LimitSettings = Field(default_factory=LimitSettings, description="What may be used up.")
    delivery: DeliverySettings = Field(default_factory=DeliverySettings, description="Trying replies again.")
    sandbox: SandboxSettings = Field(default_factory=SandboxSettings, description="Where tools run.")
    approvals: Mapping[str, Rule] = Field(
        default_factory=dict[str, Rule],
        validate_default=True,
        description="Rule by tool: allow, ask, ask-unsandboxed or deny.",
    )
    context: ContextSettings = Field(
        default_factory=ContextSettings, description="How much of a conversation a model is shown."
    )
    memory: MemorySettings = Field(default_factory=MemorySettings, description="What agents remember.")
    mcp_servers: Mapping[ServerName, McpServerSettings] = Field(
        default_factory=dict[str, McpServerSettings], description="Servers of further tools, by name."
    )
    web: WebSettings = Field(default_factory=WebSettings, description="Reading and searching the web.")
    tools: ToolSettings = Field(default_factory=ToolSettings, description="The user's own tools.")
    logging: LoggingSettings = Field(default_factory=LoggingSettings, description="The log.")

    @field_validator("channels", mode="before")
    @classmethod
    def _add_the_known_channels(cls, given: Any) -> Any:
        return with_known_channels(given)

    @field_validator("approvals", mode="before")
    @classmethod
    def _add_the_default_approvals(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return {**DEFAULT_APPROVALS, **cast("Mapping[str, Any]", given)}
