"""Hints to workers: after commit only, and never at the expense of a request."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from django.db import transaction

from config.base import jobs
from config.base.embedded import broker


@pytest.fixture(autouse=True)
def fresh_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs._Pause, "until", 0.0)


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[str]:
    if broker.find_program() is None:
        pytest.skip("no wheel of Valkey here")
    server = broker.EmbeddedValkey(tmp_path)
    server.ensure()
    yield broker.url(tmp_path)
    server.release()


def application(address: str) -> Celery:
    return Celery("test", broker=address, set_as_current=False, broker_connection_timeout=2)


def look_after(member_id: int) -> None:
    """Do nothing: nobody works here."""


def waiting(app: Celery) -> int:
    with app.connection_for_read() as connection:
        return int(connection.default_channel.client.llen("celery"))


def test_hint_is_sent_when_the_transaction_commits(own_database: str, valkey: str) -> None:
    app = application(valkey)
    task = app.task(name="look")(look_after)
    with transaction.atomic():
        jobs.hint(task, 7)
        assert waiting(app) == 0
    assert waiting(app) == 1
    app.close()


def test_hint_is_not_sent_when_the_transaction_rolls_back(own_database: str, valkey: str) -> None:
    app = application(valkey)
    task = app.task(name="look")(look_after)
    with transaction.atomic():
        jobs.hint(task, 7)
        transaction.set_rollback(True)
    assert waiting(app) == 0
    app.close()


def test_broker_that_is_down_costs_one_try_and_no_error(own_database: str) -> None:
    app = application("redis://127.0.0.1:1/0")
    task = app.task(name="look")(look_after)
    started = time.monotonic()
    for _ in range(50):
        with transaction.atomic():
            jobs.hint(task, 7)
    assert time.monotonic() - started < 5
    assert jobs._Pause.until > started
    app.close()
