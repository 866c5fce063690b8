"""Which models answer, where they are, and which key opens which door.

Promises that a key goes to the endpoint it was named for and to no other. Knows no vendor's client.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, cast

from pydantic import Field, model_validator

from picklebot.settings.values import Duration, Misplaced, Section, Url, VariableName

ProviderKind: TypeAlias = Literal["anthropic", "openai", "offline", "replay"]

_OPENAI = "https://api.openai.com"


class Capabilities(Section):
    """What an endpoint can do, where it must be told; null leaves it to be found out."""

    cache_control: bool | None = Field(default=None, description="Takes cache_control on blocks.")
    thinking: bool | None = Field(default=None, description="Takes thinking and effort.")
    count_tokens: bool | None = Field(default=None, description="Counts tokens when asked.")
    tool_choice: bool | None = Field(default=None, description="Takes tool_choice.")


class Endpoint(Section):
    """A place that answers, and how to knock."""

    base_url: Url | None = Field(default=None, description="Address of the server; null means the vendor's own.")
    api_key_env: VariableName | None = Field(
        default=None, description="Variable that holds this endpoint's key; null sends no key."
    )
    auth: Literal["bearer", "x-api-key"] | None = Field(
        default=None, description="Header that carries the key; null means the usual one of the provider."
    )
    api_version: str | None = Field(default=None, description="Version header to send; null means the usual one.")
    timeout: Duration = Field(default=600.0, gt=0, le=86400, description="How long one answer may take.")
    capabilities: Capabilities = Field(
        default_factory=Capabilities, description="What the server can do, where it must be told."
    )


class PriceSettings(Section):
    """What a model costs, in US dollars for a million tokens."""

    input: float = Field(ge=0, le=1_000_000, description="Tokens that it reads.")
    output: float = Field(ge=0, le=1_000_000, description="Tokens that it writes.")
    cache_read: float | None = Field(
        default=None,
        ge=0,
        le=1_000_000,
        description="Tokens that it reads from its cache; null means a tenth of input.",
    )

    @model_validator(mode="after")
    def _compare(self) -> "PriceSettings":
        if self.cache_read is not None and self.cache_read > self.input:
            raise Misplaced(f"is above the price of input ({self.input:g})", "cache_read")
        return self


class ProviderSettings(Endpoint):
    """A further endpoint, with a key of its own: it never falls back to the key of another."""

    provider: ProviderKind = Field(description="Kind of endpoint: what it speaks.")
    name: str | None = Field(default=None, description="Model to ask there; null means the name that was asked for.")


class ModelSettings(Endpoint):
    """The model that answers where an agent names none, and the further endpoints."""

    provider: Literal["auto", ProviderKind] = Field(
        default="auto", description="Kind of endpoint; auto is anthropic when its key is set, else offline."
    )
    name: str = Field(default="claude-sonnet-5-5", min_length=1, description="Model to ask.")
    api_key_env: VariableName | None = Field(
        default="ANTHROPIC_API_KEY",
        description="Variable that holds the key. For openai it is OPENAI_API_KEY at the vendor's own address, "
        "and must be named for any other.",
    )
    max_tokens: int = Field(default=8192, ge=1, le=1_000_000, description="Longest answer, in tokens.")
    effort: Literal["minimal", "low", "medium", "high", "xhigh", "max"] | None = Field(
        default=None, description="How hard to think; null leaves it to the model."
    )
    fallback: tuple[str, ...] = Field(
        default=(), max_length=8, description="Models, or names of providers, to ask in turn when this one cannot."
    )
    providers: Mapping[str, ProviderSettings] = Field(
        default_factory=dict[str, ProviderSettings], description="Further endpoints by name, for agents to choose."
    )
    prices: Mapping[str, PriceSettings] = Field(
        default_factory=dict[str, PriceSettings],
        description="Prices of models by name, before those that picklebot knows.",
    )

    @model_validator(mode="before")
    @classmethod
    def _choose_the_key(cls, given: Any) -> Any:
        """Keep the default key away from an endpoint that it does not belong to."""
        if not isinstance(given, Mapping):
            return given
        settings = cast("Mapping[str, Any]", given)
        if settings.get("provider") != "openai" or "api_key_env" in settings:
            return settings
        own = str(settings.get("base_url") or _OPENAI).rstrip("/") in {_OPENAI, f"{_OPENAI}/v1"}
        return {**settings, "api_key_env": "OPENAI_API_KEY" if own else None}


class EmbeddingSettings(Section):
    """What turns notes and questions into vectors, so that they are found by what they mean."""

    provider: Literal["openai", "static"] = Field(
        default="openai",
        description="A server spoken to as OpenAI's `/v1/embeddings` is, or a static model on this machine (model2vec).",
    )
    name: str = Field(min_length=1, description="Model to ask; for static its folder, or its name at its makers'.")
    base_url: Url | None = Field(default=None, description="Address of the server; static has none.")
    api_key_env: VariableName | None = Field(
        default=None, description="Variable that holds this server's key; null sends no key."
    )
    auth: Literal["bearer", "x-api-key"] = Field(default="bearer", description="Header that carries the key.")
    query_prefix: str = Field(
        default="", max_length=500, description="What the model wants before a question, such as `query: `."
    )
    passage_prefix: str = Field(
        default="", max_length=500, description="What the model wants before a note, such as `passage: `."
    )
    batch: int = Field(default=32, ge=1, le=2048, description="Notes in one request.")
    timeout: Duration = Field(default=60.0, gt=0, le=3600, description="Time for one request.")

    @model_validator(mode="after")
    def _know_where(self) -> "EmbeddingSettings":
        if self.provider == "openai" and self.base_url is None:
            raise Misplaced("is needed: the address of the server, such as http://localhost:11434", "base_url")
        if self.provider == "static" and (self.base_url or self.api_key_env):
            raise Misplaced("means nothing for a static model: it is on this machine", "base_url")
        return self
