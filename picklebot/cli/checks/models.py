"""Who answers, and whether there is a key for it. Asks nobody: that a key is accepted shows with the first message."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from picklebot.cli.checks.findings import Finding, Level
from picklebot.config import Config, resolve_provider
from picklebot.definitions.agents import AgentSpec, ModelChoice
from picklebot.errors import ConfigError
from picklebot.plugins import load


class _Cabinet(Protocol):
    def candidates(self, choice: ModelChoice) -> Sequence[Any]: ...
    def unpriced(self, choice: ModelChoice) -> Sequence[str]: ...


def check_models(config: Config, agents: Mapping[str, AgentSpec]) -> Iterator[Finding]:
    """Find out who answers for each agent, as the daemon would."""
    try:
        # By name, so that a part of it that cannot be imported is a finding and not the end of the examination.
        cabinet = cast("_Cabinet", load("picklebot.wiring.models:ModelCabinet", config=config))
        cabinet.candidates(ModelChoice())
    except ConfigError as exc:
        yield Finding(level="error", check="model", message=str(exc))
        return
    yield _main(config)
    for spec in agents.values():
        try:
            unpriced = cabinet.unpriced(spec.model)
        except ConfigError as exc:
            yield Finding(level="error", check="model", message=f"agent {spec.id!r}: {exc}")
            continue
        for words in unpriced:
            level: Level = "error" if config.limits.unpriced == "refuse" else "warning"
            yield Finding(level=level, check="model", message=f"agent {spec.id!r}: {words}")


def _main(config: Config) -> Finding:
    settings, kind = config.model, resolve_provider(config)
    if kind == "offline" and settings.provider == "auto":
        return Finding(
            level="warning",
            check="model",
            message="no key is set, so the built-in offline model answers: a few rules, no language model",
            fix=f"write {settings.api_key_env or 'ANTHROPIC_API_KEY'}=... into {config.workspace.env_file}",
        )
    if kind in {"offline", "replay"}:
        return Finding(level="ok", check="model", message=f"the {kind} model answers, as config.yaml says")
    place = urlsplit(settings.base_url).netloc if settings.base_url else "the vendor's own address"
    key = f"with the key in {settings.api_key_env}" if config.secret(settings.api_key_env) else "without a key"
    return Finding(level="ok", check="model", message=f"{settings.name} answers ({kind}), at {place}, {key}")
