"""Memory: whether what finds the notes is there, and whether the embedder answered when it was last asked.

Asks nothing of the network, and makes no index.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec

from picklebot.cli.checks.findings import Finding
from picklebot.cli.output import counted
from picklebot.config import Config
from picklebot.memory.memories import INDEX
from picklebot.settings import EmbeddingSettings


def check_memory(config: Config) -> Iterator[Finding]:
    """Look at the index, and at what search by meaning needs."""
    settings = config.memory.embeddings
    if settings is not None:
        yield from _needs(settings)
        if settings.api_key_env and config.secret(settings.api_key_env) is None:
            message = f"{settings.api_key_env} is neither in the environment nor in .env"
            yield Finding(level="error", check="memory", message=message, fix="set it, or drop api_key_env")
    path = config.workspace.state / INDEX
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            notes, vectors, problem = connection.execute(
                "SELECT (SELECT passages FROM totals), (SELECT count(*) FROM vectors), (SELECT words FROM problems)"
            ).fetchone()
    except sqlite3.Error as exc:
        message = f"the index of the notes cannot be read ({exc}); it is made anew when it is next needed"
        yield Finding(level="info", check="memory", message=message)
        return
    by_meaning = f", {counted(vectors, 'vector')}" if settings is not None else ""
    yield Finding(level="ok", check="memory", message=f"{counted(notes, 'note')} in the index{by_meaning}")
    if settings is not None and problem:
        message = f"notes were not searched by meaning when last tried: {problem}"
        yield Finding(level="warning", check="memory", message=message, fix="see memory.embeddings")


def _needs(settings: EmbeddingSettings) -> Iterator[Finding]:
    wanted = {"numpy": "vectors"} | ({"model2vec": "embed"} if settings.provider == "static" else {})
    for module, extra in wanted.items():
        if find_spec(module) is None:
            message = f"memory.embeddings needs {module}, which is not installed"
            yield Finding(level="error", check="memory", message=message, fix=f"pip install 'picklebot[{extra}]'")
