"""Which files of a workspace are out of reach, and which may only be read.

Promises a reason for each refusal. Judges names below the root, already resolved; opens nothing.
"""

from collections.abc import Sequence

#: Out of reach, at the top of the workspace: picklebot's state and its secrets.
HIDDEN = frozenset({".picklebot", ".env"})

#: Keys at the top of a workspace that is somebody's home: out of reach, too.
HOMELY = frozenset({
    ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".netrc", ".git-credentials", ".password-store",
})  # fmt: skip

#: Folders and files at the top that steer agents, and which an agent may propose to change: its owner decides.
#: The four files are read in every turn, as instructions or unattended, so what an agent wants to keep by itself goes
#: to its memories instead.
FOLDERS = frozenset({"agents", "crons", "skills"})
PROMPTS = frozenset({"BOOTSTRAP.md", "AGENTS.md", "USER.md", "HEARTBEAT.md"})

#: Never written, at the top of the workspace: what steers picklebot itself.
CONTROL = frozenset({"config.yaml", "tools", *FOLDERS, *(name.casefold() for name in PROMPTS)})

#: Notes: read as files, and written by tools that know who says so. What stands there is believed later on.
NOTES = "memories"

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
    if names[0] in HOMELY:
        return "keys and passwords of a home are out of reach"
    if not writing:
        return None
    if names[0] == NOTES:
        return "notes are kept with save_memory and the memory tool, which say from whom each came"
    if names[0] in CONTROL:
        return "it steers picklebot itself: say what you would change, and let the user change it"
    if trusted := next((name for name in names if name in TRUSTED), None):
        return f"{trusted} is read-only here, because other programs obey it"
    return None


def may_propose(parts: Sequence[str]) -> bool:
    """Return whether an agent may propose to change what is at `parts`; letter case counts, so that nothing is guessed."""
    if any(part.startswith(".") or part.casefold() in TRUSTED for part in parts):
        return False
    return parts[0] in FOLDERS if len(parts) > 1 else parts[:1] != [] and parts[0] in PROMPTS


def owner_refusal(parts: Sequence[str], *, writing: bool) -> str | None:
    """Return why not even the owner's yes to a proposal leads to `parts`; None for what may be proposed, and its folders."""
    if not parts or may_propose(parts) or may_propose([*parts, "x"]):
        return None
    return "only files that steer agents are changed this way"
