"""How much a model can read and write in one call, in tokens.

Promises None for a model whose window is not known. Knows the models of one vendor on one day.
Source: https://platform.claude.com/docs/en/about-claude/models/overview
"""

from collections.abc import Mapping

from picklebot.models.pricing import plain_name

WINDOWS_AS_OF = "2026-11-20"
_MILLION = 1_000_000
WINDOWS = {
    **dict.fromkeys(
        (
            *("claude-fable-5-1", "claude-mythos-5-1", "claude-fable-5", "claude-mythos-5"),
            *("claude-opus-5-5", "claude-opus-5", "claude-sonnet-5-5", "claude-sonnet-5", "claude-haiku-5-5"),
        ),
        _MILLION,
    ),
    # Those before have a million too where the account allows it: less is safe, and a setting says more.
    **dict.fromkeys(
        (
            *("claude-opus-4-8", "claude-opus-4-7", "claude-opus-4-6", "claude-opus-4-5"),
            *("claude-sonnet-4-6", "claude-sonnet-4-5", "claude-haiku-4-5"),
        ),
        200_000,
    ),
}


def window_of(model: str, own: Mapping[str, int] | None = None, *, otherwise: int | None = None) -> int | None:
    """Return the window of `model`; None if it is not known. `own` windows come first, then `otherwise`."""
    plain = plain_name(model)
    found = next((window for name, window in (own or {}).items() if plain_name(name) == plain), otherwise)
    if found is not None:
        return found
    if model.strip().lower().endswith("[1m]"):
        return _MILLION
    return WINDOWS.get(plain)
