"""A Messages API on loopback, and models that ask it through the real SDK."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from picklebot.models import anthropic
from picklebot.models.anthropic import AnthropicModel
from picklebot.testing.messages_api import MessagesApi
from tests.models.asking import KEY, Maker


@pytest.fixture
async def api() -> AsyncIterator[MessagesApi]:
    async with MessagesApi(api_key=KEY) as api:
        yield api


@pytest.fixture
async def make(api: MessagesApi) -> AsyncIterator[Maker]:
    """A maker of models that are closed after the test."""
    async with AsyncExitStack() as made:

        def make(*, url: str | None = None, **changes: Any) -> AnthropicModel:
            settings = {"name": "claude-sonnet-5-5", "api_key": KEY, "timeout": 5.0, "total": 10.0, **changes}
            model = anthropic.create(base_url=url or api.url, **settings)
            made.push_async_callback(model.aclose)
            return model

        yield make


@pytest.fixture(params=["aiohttp", "httpx2"])
def http(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def model(make: Maker, http: str) -> AnthropicModel:
    return make(http=http)
