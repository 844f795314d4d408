"""What tests of scheduled work share: registries of their own."""

import pytest

from config.base import jobs, monitors
from members.services import delivery


@pytest.fixture
def no_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test register jobs of its own."""
    monkeypatch.setattr(jobs, "_jobs", {})


@pytest.fixture
def no_followers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test register followers of its own."""
    monkeypatch.setattr(delivery, "_followers", {})


@pytest.fixture
def no_monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test register monitors of its own."""
    monkeypatch.setattr(monitors, "_monitors", {})
