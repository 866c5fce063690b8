"""Models, made from settings.

Promises that a provider's key goes to that provider's endpoint and nowhere else, and that the model's SDK is loaded
in a thread while the daemon opens. Knows no turn.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import cast
from urllib.parse import urlsplit

from picklebot.agent.asking import Candidate
from picklebot.config import Config, resolve_provider
from picklebot.definitions.agents import ModelChoice
from picklebot.errors import ConfigError
from picklebot.models import pricing
from picklebot.models.base import Model, Usage
from picklebot.models.listing import Windows
from picklebot.models.wire import Capabilities
from picklebot.plugins import load
from picklebot.settings import Endpoint, ProviderKind
from picklebot.settings.values import is_nearby
from picklebot.wiring.prices import price_list, unpriced_words, window_for

# Loaded by name, so that a conversation with one model does not pay for the others.
PROVIDERS = {name: f"picklebot.models.{name}" for name in ("anthropic", "offline", "replay")}
PRELOADS = {"anthropic": "picklebot.models.anthropic:preload"}

OFFLINE_NOTICE = (
    "No model key is set, so picklebot's built-in offline model answers: a few rules, no language model. "
    "Set ANTHROPIC_API_KEY for a real one, or model.provider: anthropic and model.base_url for a server of your own."
)


class ModelCabinet:
    """The models that settings name, each made when it is first asked for."""

    def __init__(self, config: Config, *, one_at_a_time: bool = False) -> None:
        self._config = config
        # aiohttp bears many calls at once better; for one it is only another library to load.
        self._http = "httpx2" if one_at_a_time else "aiohttp"
        self._models: dict[str, Model] = {}
        self._kind: ProviderKind = resolve_provider(config)
        self._price = price_list(config)
        self._preload: asyncio.Task[object] | None = None
        self.windows = Windows()
        """What endpoints say of the models that picklebot does not know; somebody has to follow it."""

    @property
    def notices(self) -> list[str]:
        """What a user should know of the choice."""
        settings = self._config.model
        if self._kind == "offline" and settings.provider == "auto":
            return [OFFLINE_NOTICE]
        name = pricing.resolve_alias(settings.name)
        if self._sends_bills(None) and self._price(name, Usage()) is None:
            words = unpriced_words(self._config, name)
            return [f"{words[0].upper()}{words[1:]}."]
        return []

    async def __aenter__(self) -> "ModelCabinet":
        if self._kind == "anthropic":
            self._preload = asyncio.create_task(
                asyncio.to_thread(partial(load, PRELOADS["anthropic"], http=self._http)), name="loading the SDK"
            )
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._preload is not None:
            await asyncio.wait({self._preload})  # an import cannot be interrupted, only awaited
        for model in self._models.values():
            await model.aclose()

    def candidates(self, choice: ModelChoice) -> Sequence[Candidate]:
        """Return who may answer, the first choice first.

        Raises:
            ConfigError: the choice names a provider that is not configured.
        """
        settings = self._config.model
        first = self._candidate(choice.provider, choice.name)
        fallback = [self._fallback(name) for name in choice.fallback or settings.fallback]
        return [first, *fallback]

    def unpriced(self, choice: ModelChoice) -> list[str]:
        """Return a sentence for each model behind `choice` that sends bills and whose price is not known."""
        names = [c.name or c.model.name for c in self.candidates(choice) if c.paid]
        return [unpriced_words(self._config, name) for name in names if self._price(name, Usage()) is None]

    def _candidate(self, provider: str | None, name: str | None) -> Candidate:
        model, asked = self._endpoint(provider), self._name(name, provider)
        window = window_for(self._config, asked or model.name) or self.windows.of(model, asked or model.name)
        return Candidate(model, asked, paid=self._sends_bills(provider), window=window)

    def _sends_bills(self, provider: str | None) -> bool:
        """Return whether a call may cost money: not to what is built in, nor to a server of the own network."""
        settings = self._config.model
        own = provider is None or provider == self._kind
        endpoint: Endpoint | None = settings if own else settings.providers.get(provider or "")
        kind = self._kind if own else getattr(endpoint, "provider", "offline")
        if endpoint is None or kind in {"offline", "replay"}:
            return False
        return endpoint.base_url is None or not is_nearby(urlsplit(endpoint.base_url).hostname or "")

    def _name(self, name: str | None, provider: str | None) -> str | None:
        if provider is not None and provider in self._config.model.providers:
            name = name or self._config.model.providers[provider].name
        return pricing.resolve_alias(name) if name else None

    def _fallback(self, name: str) -> Candidate:
        """A fallback is the name of a configured provider, or of a model at the main endpoint."""
        if name in self._config.model.providers:
            return self._candidate(name, None)
        return self._candidate(None, name)

    def _endpoint(self, provider: str | None) -> Model:
        key = provider or ""
        if key not in self._models:
            self._models[key] = self._make(provider)
        return self._models[key]

    def _make(self, provider: str | None) -> Model:
        settings = self._config.model
        if provider is None or provider == self._kind:
            return self._build(self._kind, settings, settings.name)
        if provider in settings.providers:
            chosen = settings.providers[provider]
            return self._build(chosen.provider, chosen, chosen.name or settings.name)
        if provider == "offline":
            return cast("Model", load("offline", PROVIDERS))
        known = ", ".join(sorted({*settings.providers, self._kind, "offline"}))
        raise ConfigError(f"model: there is no provider {provider!r}; there are: {known}")

    def _build(self, kind: ProviderKind, endpoint: Endpoint, name: str) -> Model:
        match kind:
            case "offline":
                return cast("Model", load(kind, PROVIDERS))
            case "replay":
                return cast("Model", load(kind, PROVIDERS, path=self._config.workspace.root / name))
            case "anthropic":
                return self._anthropic(endpoint, name)
            case "openai":
                raise ConfigError(
                    "model.provider: openai is not there yet; most local servers and OpenRouter also speak the "
                    "Messages API: use provider: anthropic with their base_url"
                )

    def _anthropic(self, endpoint: Endpoint, name: str) -> Model:
        key = self._config.secret(endpoint.api_key_env)
        if key is None and endpoint.base_url is None:
            raise ConfigError(
                f"model: no key. Set {endpoint.api_key_env or 'api_key_env'} in the environment or in "
                f"{self._config.workspace.env_file}, or set model.provider to offline"
            )
        flags = endpoint.capabilities
        capabilities = Capabilities(cache_control=flags.cache_control is not False, effort=flags.thinking is not False)
        model = load(
            "anthropic",
            PROVIDERS,
            name=pricing.resolve_alias(name),
            base_url=endpoint.base_url,
            api_key=key or "none",  # a local server takes any; the SDK insists on one
            auth=endpoint.auth or "bearer",
            api_version=endpoint.api_version,
            total=endpoint.timeout,
            capabilities=capabilities,
            http=self._http,
        )
        return cast("Model", model)
