"""One channel is open: a provider of the tests' own."""

import pytest
from pytest_django import Settings

from campaigns import channels
from config.base import clock
from tests.engine.shop import Shop
from tests.prospects import world
from tests.prospects.world import Recorder


@pytest.fixture
def sms(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Recorder:
    settings.EMAIL_HOST = ""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    recorder = Recorder()
    monkeypatch.setitem(channels._installed, "sms", recorder)
    return recorder


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop()
    monkeypatch.setattr(clock, "now", lambda: shop.now)
    world.subscribe()
    return shop
