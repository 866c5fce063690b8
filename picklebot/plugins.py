"""The one place that loads a module by its name: channels, tools and models of one's own.

Promises that a name which leads nowhere, or settings which its maker does not take, end in a `ConfigError` that says
what to write. Knows nothing of what is made.
"""

import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from picklebot.errors import ConfigError

_TARGET = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(?::([A-Za-z_]\w*))?")


def load(target: str, built_in: Mapping[str, str] | None = None, /, **settings: Any) -> object:
    """Return what the maker called `target` makes of `settings`.

    `pkg.module` is its `create`, `pkg.module:name` is `name`. A short name from `built_in` stands for the target there.

    Raises:
        ConfigError: if there is no such module or maker, or it does not take these settings.
    """
    known = built_in or {}
    full = known.get(target, target)
    match = _TARGET.fullmatch(full)
    if match is None:
        raise ConfigError(f"{target!r} names no module: write pkg.module or pkg.module:name{_hint(target, known)}")
    make = _maker(match[1], match[2] or "create", target=target, known=known)
    _check(make, settings, target)
    return make(**settings)


def _maker(module: str, name: str, *, target: str, known: Mapping[str, str]) -> Callable[..., object]:
    try:
        loaded = importlib.import_module(module)
    except ModuleNotFoundError as exc:
        missing = exc.name or ""
        if module == missing or module.startswith(f"{missing}."):
            raise ConfigError(f"{target!r}: there is no module {missing!r}{_hint(target, known)}") from exc
        raise ConfigError(f"{target!r} needs the module {missing!r}, which is not installed") from exc
    except (ImportError, SyntaxError) as exc:
        raise ConfigError(f"{target!r} cannot be imported: {exc}") from exc
    make: Callable[..., object] | None = getattr(loaded, name, None)
    if not callable(make):
        public = [word for word, value in vars(loaded).items() if callable(value) and not word.startswith("_")]
        close = get_close_matches(name, public, n=1)
        hint = f"; did you mean '{module}:{close[0]}'?" if close else f"; it needs `def {name}(**settings)`"
        raise ConfigError(f"{target!r}: {module!r} has no {name!r} that can be called{hint}")
    return make


def _check(make: Callable[..., object], settings: Mapping[str, Any], target: str) -> None:
    """Refuse settings that do not fit, before they are a `TypeError` from somewhere inside."""
    signature = inspect.signature(make)
    try:
        signature.bind(**settings)
    except TypeError as exc:
        takes = ", ".join(signature.parameters) or "no settings"
        raise ConfigError(f"{target!r}: {exc}; it takes: {takes}") from exc


def _hint(target: str, known: Mapping[str, str]) -> str:
    close = get_close_matches(target, known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; built in: {', '.join(sorted(known))}" if known else ""
