"""Where secrets and state lie: files that others may read or change, and keys where they do not belong."""

import re
import stat
from collections.abc import Iterator
from pathlib import Path

from picklebot.cli.audit.risks import Premises, Risk
from picklebot.cli.checks.files import check_modes
from picklebot.config import Config
from picklebot.workspace import Workspace

MAX_BYTES = 1_000_000  #: of one file that is searched
SHORT = 8  #: characters below which a secret is not looked for
OTHERS = stat.S_IWGRP | stat.S_IWOTH
#: How well-known keys look: Anthropic and OpenAI, Slack, GitHub, AWS, Telegram, Discord, and private keys.
LOOKS_LIKE_A_KEY = re.compile(
    r"\b(?:sk-[A-Za-z0-9_-]{20,}|xox[abprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}|gh[pousr]_[A-Za-z0-9]{30,}"
    r"|AKIA[0-9A-Z]{16}|\d{8,10}:[A-Za-z0-9_-]{35}\b"
    r"|[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}\b)|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)


def judge_files(workspace: Workspace) -> Iterator[Risk]:
    """Find what other users of this machine may read, and what they may change."""
    for finding in check_modes(workspace, mend=False):
        if finding.level == "error" and finding.check == "modes":
            fix = finding.fix or "picklebot doctor --fix"
            yield Risk(severity="critical", rule="file-modes", message=finding.message, fix=fix)
    steering = (
        workspace.root,
        workspace.config_file,
        workspace.agents,
        workspace.crons,
        workspace.skills,
        workspace.tools,
    )
    for path in steering:
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & OTHERS:
            yield Risk(
                severity="critical",
                rule="steering-modes",
                message=f"other users of this machine may change {path}, and with it what agents do",
                fix=f"chmod go-w {path}",
            )


def judge_keys(premises: Premises) -> Iterator[Risk]:
    """Find secrets in files that agents read, or that are shared."""
    workspace = premises.config.workspace
    secrets = [each for each in premises.config.known_secrets() if len(each) >= SHORT]
    for path in _shared_files(workspace):
        text = _text(path)
        if any(secret in text for secret in secrets) or LOOKS_LIKE_A_KEY.search(text):
            yield Risk(
                severity="critical",
                rule="secret-in-file",
                message=f"{path.relative_to(workspace.root)} holds a key or a password",
                fix=f"put it into {workspace.env_file.name} (mode 0600), name its variable here, and make a new one",
            )
    yield from _database(premises.config)


def _shared_files(workspace: Workspace) -> Iterator[Path]:
    yield from (path for path in (workspace.config_file, *sorted(workspace.root.glob("*.md"))) if path.is_file())
    for folder in (workspace.agents, workspace.crons, workspace.skills, workspace.memories, workspace.tools):
        for path in sorted(folder.rglob("*")):
            if path.suffix in {".md", ".py", ".sh", ".yaml", ".json"} and path.is_file() and not path.is_symlink():
                yield path


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""


def _database(config: Config) -> Iterator[Risk]:
    workspace = config.workspace
    path = config.database
    if path is None:
        return
    inside, kept = (path.resolve().is_relative_to(each.resolve()) for each in (workspace.root, workspace.state))
    if inside and not kept:
        yield Risk(
            severity="critical",
            rule="database-in-reach",
            message=f"store.url puts the database where tools of agents may read and write it: {path}",
            fix="store: {url: sqlite:///.picklebot/picklebot.db}",
        )
