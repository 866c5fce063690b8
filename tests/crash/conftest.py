"""One warm nursery for all crash tests, and a world for each."""

from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from tests.crash.daemons import Start, nursery
from tests.crash.world import Setting, World


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def start(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Start, None]:
    """Start daemons, cheaply."""
    async with nursery(tmp_path_factory.mktemp("nursery")) as begin:
        yield begin


@pytest.fixture
def world(tmp_path: Path, start: Start) -> Callable[..., World]:
    """Make a world, to be entered with `async with`: `world(pause=0.1)`."""

    def make(*, by: Start = start, **setting: object) -> World:
        return World(tmp_path / "world", by, Setting(**setting))  # type: ignore[arg-type]  # a test names its own

    return make
