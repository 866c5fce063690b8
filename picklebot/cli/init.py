"""`picklebot init`: makes a workspace.

Promises that no file that is there is written over, and that secrets are closed to others from their first byte.
"""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from picklebot.cli.answers import Answers, ask_for
from picklebot.cli.output import remark, say
from picklebot.cli.templates import SETTINGS, templates
from picklebot.errors import PicklebotError
from picklebot.workspace import Workspace, find

_GITIGNORE = "# State and secrets stay out of version control.\n.picklebot/\n.env\n"
_SECRETS = """\
# Secrets, one NAME=value a line; addresses and settings belong into config.yaml.
# ANTHROPIC_API_KEY=
# TELEGRAM_BOT_TOKEN=
"""
_MODEL = re.compile(r"^model:\n(?:[ \t]+.*\n)+", re.MULTILINE)
_AGENT = re.compile(r"^default_agent:.*\n", re.MULTILINE)


def init(*, workspace: Workspace, ask: bool) -> int:
    """Make what is not there yet, and say what to do next."""
    files = templates()
    wishes = ask and not workspace.config_file.exists()
    if wishes and not sys.stdin.isatty():
        remark("There is no terminal to ask on, so every default is taken.")
        wishes = False
    answers = ask_for(secrets=not workspace.env_file.exists()) if wishes else Answers()
    texts = {PurePosixPath(".gitignore"): _GITIGNORE, PurePosixPath(".env"): _secrets(answers), **files}
    texts[PurePosixPath(SETTINGS)] = _settings(files[PurePosixPath(SETTINGS)], answers)
    try:
        made = _make(workspace, texts)
    except OSError as exc:
        raise PicklebotError(f"the workspace cannot be made: {exc.filename}: {exc.strerror}") from exc
    keyless = not (answers.key or answers.base_url or os.environ.get(answers.key_name))
    _tell(workspace, made, needs_key=keyless and ".env" in made)
    return 0


def _make(workspace: Workspace, texts: Mapping[PurePosixPath, str]) -> list[str]:
    made: list[str] = []
    workspace.memories.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        target = workspace.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        # The umask decides over the rest, but nobody else is ever to read the secrets.
        if _create(target, text, mode=0o600 if target == workspace.env_file else 0o666):
            made.append(str(path))
    return made


def _create(path: Path, text: str, *, mode: int) -> bool:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    return True


def _settings(template: str, answers: Answers) -> str:
    """Return the settings with the answers in them; without any the template stays as it is, comments and all."""
    text = template
    if answers.provider is not None:
        lines = [f"  provider: {answers.provider}", f"  name: {_quoted(answers.model)}"]
        if answers.base_url:
            lines.append(f"  base_url: {_quoted(answers.base_url)}")
            lines.append(f"  api_key_env: {answers.key_name if answers.key else 'null'}")
        block = "\n".join(["model:", *lines, ""])
        text = _MODEL.sub(lambda _: block, text, count=1)
    if answers.timezone:
        text = _AGENT.sub(lambda match: f"{match[0]}timezone: {answers.timezone}\n", text, count=1)
    return text


def _secrets(answers: Answers) -> str:
    if answers.key is None:
        return _SECRETS
    line = f"{answers.key_name}={_quoted(answers.key)}\n"
    return _SECRETS.replace(f"# {answers.key_name}=\n", "") + line


def _quoted(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_./+-]+", text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _tell(workspace: Workspace, made: list[str], *, needs_key: bool) -> None:
    root = workspace.root
    if not made:
        say(f"{root} is a workspace already: every file is there, and none was touched.")
    else:
        say(f"Made a workspace in {root}:")
        for path in made:
            say(f"  {path}")
    here = find(None, os.environ, Path.cwd()) == workspace
    option = "" if here else f" -w {root}"
    say()
    say("Next:")
    if needs_key:
        say(f"  write a key into {workspace.env_file}; without one a built-in offline model answers")
    say(f"  picklebot{option} chat      starts a conversation")
    say(f"  picklebot{option} doctor    looks everything over")
