"""Who can come in: the gateway, the channels, the webhooks."""

from collections.abc import Iterator

from picklebot.cli.audit.risks import Premises, Risk
from picklebot.errors import ConfigError
from picklebot.gateway.secret import FixedToken
from picklebot.settings.values import is_loopback
from picklebot.wiring.channels import create_channel, enabled_channels

HARMLESS = frozenset({"web_fetch", "web_search", "use_skill", "search_memory", "read_memory"})
LONG_WINDOW = 3600.0  #: seconds
SHORT_SECRET = 16  #: characters below which a secret can be guessed


def judge_doors(premises: Premises) -> Iterator[Risk]:
    """Find doors that stand open, or wider than they need."""
    yield from _gateway(premises)
    yield from _channels(premises)
    yield from _hooks(premises)


def _gateway(premises: Premises) -> Iterator[Risk]:
    settings = premises.config.gateway
    if not settings.enabled:
        return
    if not is_loopback(settings.host):
        yield Risk(
            severity="warn",
            rule="gateway-open",
            message=f"the gateway listens on {settings.host}, so every machine of the network can try its token, and it "
            "travels unencrypted",
            fix="gateway.host: 127.0.0.1, and a proxy with TLS before it",
        )
    if settings.token_env is not None:
        try:
            FixedToken(premises.config.secret(settings.token_env) or "", variable=settings.token_env)
        except ConfigError as exc:
            yield Risk(
                severity="critical",
                rule="gateway-token",
                message=str(exc),
                fix=f"put a long random value into {settings.token_env}, such as that of `openssl rand -hex 32`",
            )


def _channels(premises: Premises) -> Iterator[Risk]:
    for name, settings in enabled_channels(premises.config).items():
        try:
            channel = create_channel(premises.config, name, settings)
        except ConfigError:
            continue  # `doctor` says so
        if getattr(channel, "open_to_all", False):
            yield Risk(
                severity="warn",
                rule="channel-open",
                message=f"whoever can reach the channel {name} is heard as its owner: it asks nobody who they are",
                fix=f"channels.{name}.enabled: false where others can reach it",
            )
        elif not settings.allow:
            yield Risk(
                severity="info",
                rule="channel-nobody",
                message=f"channels.{name}.allow is empty: nobody is heard there but those who were paired",
                fix="`picklebot pairing list` says who was",
            )
        risky = sorted(set(settings.guest_tools) - HARMLESS)
        if risky:
            yield Risk(
                severity="critical",
                rule="guest-tools",
                message=f"guests of {name} may use {', '.join(risky)}",
                fix=f"leave out of channels.{name}.guest_tools what reads or changes anything of yours",
            )


def _hooks(premises: Premises) -> Iterator[Risk]:
    for name, hook in premises.config.gateway.hooks.items():
        if hook.window > LONG_WINDOW:
            yield Risk(
                severity="warn",
                rule="hook-window",
                message=f"the webhook {name} takes requests that were signed up to {hook.window:g} s ago",
                fix=f"gateway.hooks.{name}.window: 300",
            )
        secret = premises.config.secret(hook.secret_env)
        if secret is not None and len(secret) < SHORT_SECRET:
            yield Risk(
                severity="critical",
                rule="hook-secret",
                message=f"the secret of the webhook {name} has {len(secret)} characters, and can be guessed",
                fix=f"put a long random value into {hook.secret_env}",
            )
