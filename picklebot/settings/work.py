"""How work is shared out, bounded, retried and kept in: routing, time, limits, delivery, tools, memory.

Promises that every limit has a value. Knows nothing of what is limited.
"""

import re
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from picklebot.settings.models import EmbeddingSettings
from picklebot.settings.values import AgentId, Deliver, Duration, Misplaced, Pattern, Section, Url, VariableName

Rule: TypeAlias = Literal["allow", "ask", "ask-unsandboxed", "deny"]


class BindingSettings(Section):
    """Which agent answers which sources."""

    source: Pattern = Field(min_length=1, description="Regular expression that matches the whole source.")
    agent: AgentId = Field(description="Agent that answers.")


class RoutingSettings(Section):
    """Who answers a source that has no session yet."""

    bindings: tuple[BindingSettings, ...] = Field(
        default=(), max_length=10_000, description="Exact sources first, then patterns, then those with .* in them."
    )


class CronSettings(Section):
    """Scheduled jobs."""

    enabled: bool = Field(default=True, description="Whether jobs run at their times.")


class HeartbeatSettings(Section):
    """An agent that looks around by itself from time to time."""

    agent: AgentId | None = Field(default=None, description="Agent that wakes up; null means no heartbeat.")
    every: Duration = Field(default=1800.0, ge=60, le=31 * 86400, description="Time between two looks.")
    active_hours: str | None = Field(
        default=None,
        pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$",
        description="Hours of the day in which it wakes up, such as 08:00-22:00; null means all.",
    )
    deliver: Deliver = Field(default="last", description="Where it reports: none, last, or a source.")
    day_usd: float = Field(
        default=0.5, gt=0, le=1_000_000, description="Money for its looks of one day, in US dollars."
    )


class LimitSettings(Section):
    """What the daemon and a turn may use up."""

    max_concurrency: int = Field(default=16, ge=1, le=10_000, description="Turns at once, of all agents.")
    turn_steps: int = Field(default=40, ge=1, le=10_000, description="Model calls in one turn.")
    turn_seconds: Duration = Field(default=900.0, gt=0, le=7 * 86400, description="Time for one turn.")
    turn_usd: float = Field(default=1.0, gt=0, le=1_000_000, description="Money for one turn, in US dollars.")
    day_usd: float = Field(
        default=10.0, gt=0, le=1_000_000, description="Money for one day of `timezone`, in US dollars."
    )
    guest_day_usd: float = Field(
        default=1.0, gt=0, le=1_000_000, description="Money for one guest's turns in a day, in US dollars."
    )
    guests_day_usd: float = Field(
        default=3.0, gt=0, le=1_000_000, description="Money for the turns of all guests in a day, in US dollars."
    )
    unpriced: Literal["allow", "refuse"] = Field(
        default="refuse",
        description="Whether a model whose price is not known is asked; those of this machine and its network always are.",
    )
    queue_per_session: int = Field(default=20, ge=1, le=10_000, description="Messages waiting in one session.")
    loop_exchanges: int = Field(
        default=30,
        ge=0,
        le=10_000,
        description="Exchanges with a guest or a webhook that are taken for a loop; 0: none.",
    )
    loop_seconds: Duration = Field(
        default=600.0, gt=0, le=86400, description="Time within which so many exchanges are taken for a loop."
    )
    dispatch_depth: int = Field(default=3, ge=0, le=32, description="How deep agents may call agents; 0: not at all.")


class DeliverySettings(Section):
    """How long a reply is tried, and how often."""

    retry_for: Duration = Field(default=86400.0, ge=0, le=90 * 86400, description="Time until a reply is set aside.")
    first_delay: Duration = Field(default=1.0, gt=0, le=86400, description="Pause after the first failure.")
    max_delay: Duration = Field(default=600.0, gt=0, le=7 * 86400, description="Longest pause between two tries.")

    @model_validator(mode="after")
    def _order_the_delays(self) -> "DeliverySettings":
        if self.first_delay > self.max_delay:
            raise Misplaced(f"is longer than delivery.max_delay ({self.max_delay:g} s)", "first_delay")
        return self


def _host(text: str) -> str:
    host = text.lower().removesuffix(".")
    if not _HOST.fullmatch(host) or host.rpartition(".")[2].isdigit():
        raise ValueError(
            f"{text!r} is no name of a host: write one such as pypi.org, or *.example.com for all below it"
        )
    return host


_HOST = re.compile(r"(\*\.)?(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})+")
HostName = Annotated[str, AfterValidator(_host)]


class SandboxSettings(Section):
    """Where shell and file tools run."""

    mode: Literal["auto", "bubblewrap", "landlock", "off"] = Field(
        default="auto", description="Kind of sandbox; auto takes the strongest that holds here, or no shell tool."
    )
    allow_off: bool = Field(default=False, description="Whether an agent may say `sandbox: off`.")
    network: bool = Field(default=False, description="Whether tools inside reach the network.")
    hosts: tuple[HostName, ...] = Field(
        default=(),
        max_length=100,
        description="Hosts that tools inside reach over HTTP where `network` is false: pypi.org, or *.example.com.",
    )
    memory_mb: int = Field(default=1024, ge=16, le=1_048_576, description="Memory of one tool call, in MiB.")
    seconds: Duration = Field(default=60.0, gt=0, le=86400, description="Time for one tool call.")

    @model_validator(mode="after")
    def _open_once(self) -> "SandboxSettings":
        if self.hosts and self.network:
            raise Misplaced("means nothing beside sandbox.network: true, which opens all of it", "hosts")
        return self


class MemorySettings(Section):
    """What agents remember beyond a session."""

    inject: bool = Field(default=True, description="Whether what fits a message is put before the model unasked.")
    max_tokens: int = Field(default=1500, ge=0, le=100_000, description="Most that is put there, in tokens.")
    embeddings: EmbeddingSettings | None = Field(
        default=None, description="Server for search by meaning; null searches by words."
    )


ServerName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,29}$")]
"""What a server of tools is called: letters, digits and '-', so that it can stand in the names of its tools."""


FolderName = Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[^\x00]+$")]


class McpServerSettings(Section):
    """A server of further tools: a program to start, or an address."""

    enabled: bool = Field(default=True, description="Whether its tools are offered.")
    command: tuple[str, ...] | None = Field(default=None, min_length=1, description="Program and arguments to start.")
    url: Url | None = Field(default=None, description="Address of a server that runs already.")
    token_env: VariableName | None = Field(default=None, description="Variable that holds the token for the address.")
    env: tuple[VariableName, ...] = Field(default=(), description="Variables that the program is given.")
    timeout: Duration = Field(default=30.0, gt=0, le=3600, description="Time for one call.")
    trust: Literal["first-use", "ask"] = Field(
        default="first-use",
        description="Whether its tools are let in as it describes them when it is first seen, or wait for `picklebot tools trust`.",
    )
    sandbox: bool = Field(default=True, description="Whether the program runs in a sandbox of its own.")
    network: bool = Field(default=False, description="Whether the program reaches the network from there.")
    read: tuple[FolderName, ...] = Field(
        default=(), description="Files and folders it may read there; relative ones are the workspace's."
    )
    write: tuple[FolderName, ...] = Field(default=(), description="Files and folders it may write there.")

    @model_validator(mode="after")
    def _choose_one(self) -> "McpServerSettings":
        if (self.command is None) == (self.url is None):
            raise ValueError("needs either `command` (a program to start) or `url` (a server that runs already)")
        return self


class ToolSettings(Section):
    """The user's own tools."""

    local: bool = Field(default=False, description="Whether tools/*.py of the workspace are loaded.")
    pin_skills: bool = Field(
        default=True, description="Whether a skill whose files were changed is not used until you let it in again."
    )
    defer_above: int = Field(
        default=30, ge=0, le=500, description="Tools of servers that are described to a model; of more, only the names."
    )
