"""`/livez`, `/readyz` and `/metrics`.

Ready means: the database answers and is migrated. A broker that is down delays messages, never
orders, so it degrades the site and leaves it in service; so do unhealthy monitors.
"""

import functools
from typing import Any

import prometheus_client
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from django_prometheus import exports
from kombu.connection import Connection
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from config.base import checks, monitors

BROKER_SECONDS = 1.0


@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """Answer that the process serves."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer whether requests may be sent here, and what is in trouble."""
    parts: dict[str, Any] = {"database": database_state()}
    is_ready = parts["database"] == "ok"
    parts["broker"] = broker_state()
    if is_ready:
        parts |= {
            name: {"status": "ok" if reading.is_healthy else "degraded", **reading.values}
            | ({"detail": reading.detail} if reading.detail else {})
            for name, reading in monitors.readings().items()
        }
    return JsonResponse(
        {"status": overall(is_ready, parts), "checks": parts}, status=200 if is_ready else 503
    )


def overall(is_ready: bool, parts: dict[str, Any]) -> str:
    """Return one word for the state of all parts."""
    if not is_ready:
        return "unready"
    states = {part["status"] if isinstance(part, dict) else part for part in parts.values()}
    return "ok" if states == {"ok"} else "degraded"


def database_state() -> str:
    """Return `ok`, or the word for what keeps the database from being used."""
    try:
        serious = [found for found in checks.database_messages() if found.is_serious()]
        if serious:
            return f"unsafe: {serious[0].msg}"
        return "unmigrated" if not is_migrated() else "ok"
    except DatabaseError:
        connection.close()
        return "unreachable"


@functools.cache
def _expected_migrations() -> frozenset[tuple[str, str]]:
    labels = {config.label for config in apps.get_app_configs()}
    on_disk = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    return frozenset(key for key in on_disk if key[0] in labels)


def is_migrated() -> bool:
    """Tell whether every migration of this code has been applied."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app, name FROM django_migrations")
        return _expected_migrations() <= set(cursor.fetchall())


def broker_state() -> str:
    """Return `ok` or `unreachable`."""
    try:
        with Connection(
            settings.CELERY["broker_url"],
            connect_timeout=BROKER_SECONDS,
            transport_options=settings.CELERY["broker_transport_options"],
        ) as broker:
            broker.ensure_connection(max_retries=1, timeout=BROKER_SECONDS)
    except Exception:  # each transport raises errors of its own
        return "unreachable"
    return "ok"


class MonitorCollector(Collector):
    """The monitors' numbers, read when the metrics are asked for."""

    def collect(self) -> list[GaugeMetricFamily]:
        """Return a gauge per number."""
        health = GaugeMetricFamily(
            "loyalty_monitor_healthy", "1 where the monitor is content", labels=["monitor"]
        )
        values = GaugeMetricFamily(
            "loyalty_monitor_value", "What the monitor counted", labels=["monitor", "name"]
        )
        for monitor, reading in monitors.readings().items():
            health.add_metric([monitor], float(reading.is_healthy))
            for name, value in reading.values.items():
                values.add_metric([monitor, name], float(value))
        return [health, values]


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with the counters of all workers and the monitors' numbers, for Prometheus."""
    counted: HttpResponse = exports.ExportToDjangoView(request)
    registry = prometheus_client.CollectorRegistry()
    registry.register(MonitorCollector())
    counted.content += prometheus_client.generate_latest(registry)
    return counted
