"""A held clock."""

import pytest

from picklebot.testing import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
