"""Shops with a programme."""

import pytest

from members.models import Channel
from tests.engine.shop import Shop

pytest.register_assert_rewrite("tests.engine.machine")


@pytest.fixture
def shop(db: None) -> Shop:
    """Return a shop under the preset `classic`."""
    return Shop()


@pytest.fixture
def web_shop(db: None) -> Shop:
    """Return a web shop under the preset `retail_cn`: points wait seven full days."""
    return Shop("retail_cn", Channel.WEB)
