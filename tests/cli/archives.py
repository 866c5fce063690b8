"""A workspace worth backing up, and looks at it from outside."""

import json
import os
from pathlib import Path

from tests.cli.inside import command
from tests.cli.running import conversation, fill


async def fill_for_backup(workspace: Path) -> Path:
    """Put a conversation, a note, a secret, and things that no backup can hold into a workspace."""
    (workspace / "memories" / "topics").mkdir(parents=True)
    (workspace / "memories" / "topics" / "bins.md").write_text("Tuesday ☃\n", encoding="utf-8")
    (workspace / "skills" / "run").mkdir(parents=True)
    script = workspace / "skills" / "run" / "go.sh"
    script.write_text("#!/bin/sh\n", encoding="utf-8")
    script.chmod(0o755)
    (workspace / ".env").write_text("KEY=secret\n", encoding="utf-8")
    (workspace / ".env").chmod(0o600)
    (workspace / "memories" / "passwd").symlink_to("/etc/passwd")
    (workspace / "skills" / "etc").symlink_to("/etc")
    os.mkfifo(workspace / "memories" / "pipe")
    await fill(workspace, conversation)
    return workspace


async def ledger(workspace: Path) -> str:
    """Return what doctor says of the sum of accepted messages."""
    findings = json.loads((await command(workspace, "doctor", "--json")).stdout)["findings"]
    [level] = [finding["level"] for finding in findings if finding["check"] == "ledger"]
    return str(level)


def tree(folder: Path) -> dict[str, bytes]:
    """Return every plain file below `folder` by its name."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if path.name != "lock"}
