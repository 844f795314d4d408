"""A world whose clock is the programme's."""

import pytest
from pytest_django import Settings

from tests.triggers.world import World


@pytest.fixture
def world(db: None, settings: Settings) -> World:
    settings.LOYALTY_CLOCK = "due"
    return World()
