"""No channel but the inbox is open in tests unless a test opens it."""

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def _closed(settings: Settings) -> None:
    settings.LOYALTY_SMS_PROVIDER = ""
    settings.EMAIL_HOST = ""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
