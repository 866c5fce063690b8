"""Whatever is asked, the answer is no 500. A short form; 10,000 requests are `python -m tests.campaign --only requests`."""

import asyncio
from pathlib import Path

import pytest

from tests.gateway.fuzzing import fuzz, serving, token_of

REQUESTS = 150


@pytest.mark.timeout(240)
async def test_no_request_is_answered_with_a_500(tmp_path: Path) -> None:
    async with serving(tmp_path) as (url, workspace):
        found = await asyncio.to_thread(fuzz, url, token_of(workspace), requests=REQUESTS)
    assert found.broken == []
    assert found.requests >= REQUESTS / 2
    assert found.by_status.get(200, 0) > found.requests / 10, "the guard is passed, and the routes are reached"
