"""Settings from the environment: `PICKLEBOT_MODEL__BASE_URL` is `model.base_url`, and wins over the file.

Promises to take every `PICKLEBOT_*` variable but the reserved ones, and those that the settings themselves name as the
home of a secret. Knows no setting: whether a name exists is found out when the whole is checked.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from picklebot.config.document import KeyPath, parse_value

PREFIX = "PICKLEBOT_"
RESERVED = frozenset({"PICKLEBOT_WORKSPACE"})
RESERVED_PREFIXES = ("PICKLEBOT_TEST",)


def overlay(values: Mapping[str, Any], env: Mapping[str, str]) -> tuple[dict[str, Any], dict[KeyPath, str]]:
    """Return `values` with those of the environment laid over them, and which variable said what.

    An empty variable says nothing.

    Raises:
        ConfigError: if a variable begins like a list or a mapping, and is none.
    """
    merged = dict(values)
    origins: dict[KeyPath, str] = {}
    named = {*named_variables(values), *(env[name] for name in env if _is_setting(name) and name.endswith("_ENV"))}
    # Short names first: PICKLEBOT_MODEL__NAME changes what PICKLEBOT_MODEL has set, whatever their order.
    for name in sorted((name for name in env if _is_setting(name) and name not in named), key=lambda n: n.count("__")):
        if not env[name].strip():
            continue
        path = _insert(merged, name.removeprefix(PREFIX).split("__"), parse_value(env[name].strip(), name=name))
        origins[path] = name
    return merged, origins


def variable(path: KeyPath) -> str:
    """Return the name of the variable that sets `path`."""
    return PREFIX + "__".join(str(part) for part in path).upper().replace("-", "_")


def named_variables(settings: object) -> Iterator[str]:
    """Yield what stands under keys that end in `_env`: the names of variables that hold secrets."""
    if isinstance(settings, Mapping):
        for key, inner in cast("Mapping[str, object]", settings).items():
            if key.endswith("_env") and isinstance(inner, str):
                yield inner
            yield from named_variables(inner)
    elif isinstance(settings, list | tuple):
        for item in cast("Sequence[object]", settings):
            yield from named_variables(item)


def _is_setting(name: str) -> bool:
    return name.startswith(PREFIX) and name not in RESERVED and not name.startswith(RESERVED_PREFIXES)


def _insert(values: dict[str, Any], parts: list[str], value: object) -> KeyPath:
    """Set what `parts` lead to, copying every mapping on the way; return the path as the file would have it."""
    key = _spelling(values, parts[0])
    if len(parts) == 1:
        values[key] = value
        return (key,)
    inner = values.get(key)
    values[key] = dict(cast("Mapping[str, Any]", inner)) if isinstance(inner, Mapping) else {}
    return (key, *_insert(values[key], parts[1:], value))


def _spelling(values: Mapping[str, Any], part: str) -> str:
    """Return the key of `values` that `part` means: variables cannot tell `My-Server` from `my_server`."""
    plain = part.lower()
    return next((key for key in values if key.lower().replace("-", "_") == plain), plain)
