"""Memories on a folder of their own."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from picklebot.memory.memories import Memories
from picklebot.testing import FakeClock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "memories"


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "memory.db"


@pytest.fixture
async def memories(folder: Path, index: Path) -> AsyncGenerator[Memories]:
    opened = Memories(folder, index.parent, clock=FakeClock())
    yield opened
    await opened.close()


def write(folder: Path, path: str, text: str) -> None:
    """Write a file of notes as a person would."""
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text, encoding="utf-8")
