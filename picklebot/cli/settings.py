"""`picklebot config`: whether the settings are right, what they may be, and where they stand."""

from picklebot.cli.output import print_json, remark, say
from picklebot.config import Config, json_schema, resolve_provider
from picklebot.workspace import Workspace


def check(*, config: Config) -> int:
    """Say that the settings are right: had they not been, there would be no `config`."""
    for warning in config.warnings:
        remark(f"warning: {warning}")
    path = config.workspace.config_file
    found = f"{path} is right" if path.is_file() else f"There is no {path}, so every default holds"
    say(f"{found}: the model is {config.model.name} ({resolve_provider(config)}), the agent {config.default_agent}.")
    return 0


def schema(*, workspace: Workspace) -> int:
    """Print the JSON Schema of config.yaml, the same for every workspace."""
    del workspace
    print_json(json_schema())
    return 0


def path(*, workspace: Workspace) -> int:
    """Print where config.yaml is, or would be."""
    say(str(workspace.config_file))
    return 0
