"""The configuration of a daemon: the file, with the environment over it, checked as a whole.

Promises a `Config` that never changes and shows no secret, or one `ConfigError` that names everything that is wrong.
Knows nothing of what the settings do.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import PrivateAttr, ValidationError

from picklebot.config.document import parse_document, read_text
from picklebot.config.environment import named_variables, overlay
from picklebot.config.problems import Provenance, explain
from picklebot.config.secrets import CREDENTIALS, Secrets, read_credentials, read_secrets
from picklebot.errors import ConfigError
from picklebot.settings import ProviderKind, Settings
from picklebot.settings.values import is_loopback
from picklebot.workspace import Workspace

MAX_BYTES = 256 * 1024


class Config(Settings):
    """All settings of one workspace, and the way to its secrets."""

    _workspace: Workspace = PrivateAttr()
    _env: Mapping[str, str] = PrivateAttr()
    _secrets: Secrets = PrivateAttr()

    @classmethod
    def build(
        cls, values: Mapping[str, Any], *, workspace: Workspace, env: Mapping[str, str], secrets: Secrets | None = None
    ) -> "Config":
        """Check `values`, shaped as config.yaml is.

        Raises:
            ValidationError: if they are not right.
        """
        config = cls.model_validate({key: value for key, value in values.items() if value is not None})
        config._workspace = workspace
        config._env = dict(env)
        config._secrets = secrets or Secrets()
        return config

    @property
    def workspace(self) -> Workspace:
        """The tree that these settings belong to."""
        return self._workspace

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd, and yet no reason to stop: for the log and for `doctor`."""
        return self._secrets.warnings

    @property
    def database(self) -> Path | None:
        """The file of the store; None where the store is a server."""
        path = self.store.url.removeprefix("sqlite:///")
        return None if path == self.store.url else self._workspace.root / path

    def secret(self, name: str | None) -> str | None:
        """Return the secret called `name`, from the environment, else a credential, else from `.env`; None where it is unset."""
        if name is None:
            return None
        return self._env.get(name) or self._secrets.values.get(name) or None

    def known_secrets(self) -> tuple[str, ...]:
        """Return every secret that there is, for the log to keep out: those of files, and those that settings name."""
        named = (self.secret(name) for name in named_variables(self.model_dump()))
        return tuple({*self._secrets.values.values(), *(value for value in named if value)})


def load(workspace: Workspace, env: Mapping[str, str]) -> Config:
    """Read config.yaml and `.env` of `workspace`, with `env` over them. Where there is no file, every default holds.

    Raises:
        ConfigError: if anything is wrong; its message has a line for each problem.
    """
    text = read_text(workspace.config_file, limit=MAX_BYTES)
    document = parse_document(text or "", name=str(workspace.config_file))
    values, variables = overlay(document.values, env)
    written, given = read_secrets(workspace.env_file), read_credentials(env.get(CREDENTIALS))
    secrets = Secrets({**written.values, **given.values}, (*written.warnings, *given.warnings))
    try:
        config = Config.build(values, workspace=workspace, env=env, secrets=secrets)
    except ValidationError as exc:
        raise explain(exc, Provenance(workspace.config_file, document.lines, variables)) from None
    _require_token(config)
    return config


def resolve_provider(config: Config) -> ProviderKind:
    """Return what kind of endpoint the main model is; `auto` is anthropic when its key is set, else offline."""
    if config.model.provider != "auto":
        return config.model.provider
    return "anthropic" if config.secret(config.model.api_key_env) else "offline"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of config.yaml."""
    schema = Settings.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "picklebot config.yaml"}


def _require_token(config: Config) -> None:
    gateway = config.gateway
    if gateway.enabled and not is_loopback(gateway.host) and not config.secret(gateway.token_env):
        raise ConfigError(
            f"gateway.token_env: {gateway.token_env} is neither in the environment nor in {config.workspace.env_file}, "
            f"and {gateway.host!r} can be reached by other machines: set it, or listen on 127.0.0.1"
        )
