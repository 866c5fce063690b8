"""The names of tools, as other programs write them.

Promises our name for every tool that Claude Code knows under another, and the family behind `memory`. Knows nothing
of which tools exist: a name it has never heard of passes unchanged.
"""

from collections.abc import Iterable

_OURS = {
    "Read": "read_file",
    "Write": "write_file",
    "Edit": "edit_file",
    "MultiEdit": "edit_file",
    "Bash": "bash",
    "Glob": "glob",
    "Grep": "grep",
    "WebFetch": "web_fetch",
    "WebSearch": "web_search",
    "Task": "subagent_dispatch",
    "Agent": "subagent_dispatch",
    "Skill": "use_skill",
}
_FAMILIES = {"memory": ("save_memory", "search_memory", "read_memory", "memory")}


def canonical(names: Iterable[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return our names for `names`, each once, in order; and the patterns (`Bash(git:*)`) that were dropped."""
    found: dict[str, None] = {}
    patterns: list[str] = []
    for name in names:
        tool, parenthesis, _ = name.partition("(")
        if parenthesis:
            patterns.append(name)
        tool = _OURS.get(tool.strip(), tool.strip())
        found.update(dict.fromkeys(_FAMILIES.get(tool, (tool,))))
    return tuple(found), patterns
