"""Which files of a workspace are out of reach, and which may only be read.

Promises a reason for each refusal. Judges names below the root, already resolved; opens nothing.
"""

from collections.abc import Sequence

#: Out of reach, at the top of the workspace: picklebot's state and its secrets.
HIDDEN = frozenset({".picklebot", ".env"})

#: Never written, at the top of the workspace: what steers picklebot itself. An agent proposes, its owner decides.
CONTROL = frozenset({"config.yaml", "agents", "crons", "skills", "tools"})

#: Never written, at any depth: what other programs run or obey without being asked.
TRUSTED = frozenset({
    ".git", ".gitmodules", ".mcp.json", ".vscode", ".idea", ".envrc", ".husky",
    ".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".profile", ".zshrc", ".zshenv", ".zprofile",
})  # fmt: skip


def refusal(parts: Sequence[str], *, writing: bool) -> str | None:
    """Return why the file at `parts` below the root may not be read or written; None if it may."""
    names = [part.casefold() for part in parts]  # a file system may not care about case
    if not names:
        return None
    if names[0] in HIDDEN:
        return "picklebot's own state and secrets are out of reach"
    if not writing:
        return None
    if names[0] in CONTROL:
        return "it steers picklebot itself: say what you would change, and let the user change it"
    if trusted := next((name for name in names if name in TRUSTED), None):
        return f"{trusted} is read-only here, because other programs obey it"
    return None
