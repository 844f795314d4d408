"""A receiver, and a site that may call it."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.webhooks.receiver import Receiver, listening


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    """Serve a receiver on this machine, which is a private address."""
    settings.LOYALTY_WEBHOOK_ALLOW_PRIVATE = True
    with listening(Receiver()) as found:
        yield found
