"""`/livez`, `/readyz`, `/metrics` and the policies of pages."""

import pytest
from django.db import connection
from django.test import Client
from django.urls import resolve
from pytest_django import Settings

from config.base import monitors
from config.wiring import health


@pytest.fixture
def no_monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    # The routes register the site's monitors when they are first loaded: let that be over.
    resolve("/livez")
    monkeypatch.setattr(monitors, "_monitors", {})


@pytest.fixture
def broker_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "broker_state", lambda: "ok")


def test_livez_asks_nothing_of_anybody(client: Client) -> None:
    assert client.get("/livez").json() == {"status": "ok"}


@pytest.mark.django_db
def test_readyz_when_all_is_well(client: Client, no_monitors: None, broker_up: None) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "checks": {"database": "ok", "broker": "ok"}}


@pytest.mark.django_db
def test_readyz_stays_in_service_without_a_broker(
    client: Client, no_monitors: None, settings: Settings
) -> None:
    settings.CELERY = {"broker_url": "redis://127.0.0.1:1/0", "broker_transport_options": {}}
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["checks"]["broker"] == "unreachable"


@pytest.mark.django_db
def test_readyz_is_out_of_service_until_migrated(
    client: Client, no_monitors: None, broker_up: None
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'config'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "unmigrated"


@pytest.mark.django_db
def test_monitors_are_shown_in_readyz_and_metrics(
    client: Client, no_monitors: None, broker_up: None
) -> None:
    def stuck() -> monitors.Reading:
        return monitors.Reading(values={"waiting": 3}, is_healthy=False, detail="oldest 2 h")

    def broken() -> monitors.Reading:
        raise RuntimeError("secret detail")

    monitors.register("deliveries", stuck)
    monitors.register("broken", broken)

    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["checks"]["deliveries"] == {
        "status": "degraded",
        "waiting": 3,
        "detail": "oldest 2 h",
    }
    assert answer.json()["checks"]["broken"] == {"status": "degraded", "detail": "RuntimeError"}
    page = client.get("/metrics").content.decode()
    assert 'loyalty_monitor_value{monitor="deliveries",name="waiting"} 3.0' in page
    assert 'loyalty_monitor_healthy{monitor="broken"} 0.0' in page


def test_one_name_is_one_monitor(no_monitors: None) -> None:
    monitors.register("jobs", monitors.Reading)
    with pytest.raises(ValueError, match="jobs"):
        monitors.register("jobs", lambda: monitors.Reading(values={"stuck": 1}))


@pytest.mark.django_db
def test_policy_is_strict_outside_the_console(client: Client) -> None:
    strict = client.get("/livez").headers["Content-Security-Policy"]
    assert "unsafe" not in strict
    assert "default-src 'self'" in strict
    console = client.get("/admin/login/").headers["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-inline' 'unsafe-eval'" in console
    assert "http:" not in console
