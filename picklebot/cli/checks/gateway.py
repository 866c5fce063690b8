"""The gateway: that it can have its port, that it answers, and that its token is one."""

from collections.abc import Iterator
from contextlib import closing

from picklebot.cli.checks.findings import Finding, Level
from picklebot.cli.knock import answers
from picklebot.config import Config
from picklebot.errors import ConfigError
from picklebot.gateway.port import bind
from picklebot.gateway.secret import FixedToken, TokenFile
from picklebot.lock import JOINABLE, holder_of


def check_gateway(config: Config) -> Iterator[Finding]:
    """Look at the port and the token."""
    if not config.gateway.enabled:
        yield _finding("info", "it is off, so no program and no browser can reach the daemon (gateway.enabled)")
        return
    yield from _token(config)
    workspace = config.workspace
    holder = holder_of(workspace.lock_file, workspace.daemon_file)
    if holder is not None and holder.role in JOINABLE:
        yield from _running(holder.url)
        return
    try:
        with closing(bind(config.gateway.host, config.gateway.port)):
            yield _finding("ok", f"port {config.gateway.port} of {config.gateway.host} is free")
    except ConfigError as exc:
        yield _finding("error", str(exc), fix="set gateway.port in config.yaml, or stop what has that port")


def _running(url: str | None) -> Iterator[Finding]:
    if url is None:
        yield _finding("warning", "the daemon that runs was started without it", fix="start the daemon again")
    elif answers(url):
        yield _finding("ok", f"it answers at {url}")
    else:
        yield _finding("error", f"it does not answer at {url}", fix="the daemon's log says why; start it again")


def _token(config: Config) -> Iterator[Finding]:
    variable, file = config.gateway.token_env, config.workspace.token_file
    try:
        if variable is not None:
            FixedToken(config.secret(variable) or "", variable=variable)
        elif file.exists() and TokenFile(file).digest() is None:
            yield _finding(
                "error", f"{file} holds no token, so nobody is let in", fix=f"remove {file}: a new one is made"
            )
    except ConfigError as exc:
        yield _finding("error", str(exc), fix=f"set {variable} in the environment or in .env")


def _finding(level: Level, message: str, *, fix: str | None = None) -> Finding:
    return Finding(level=level, check="gateway", message=message, fix=fix)
