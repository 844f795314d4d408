"""Background jobs: which broker, and how tasks are delivered.

No broker is trusted with anything that must happen: what is due stands in the database and is
found again by a sweep, so a lost message costs time and nothing else.
"""

from typing import Any

from kombu.entity import Queue

from config.base.embedded import broker
from config.base.settings.environment import DATA_DIR, env

VISIBILITY_SECONDS = 3600
PROMPT = "prompt"
"""The queue of what must not wait behind longer work. Every worker takes from it; one does only."""


def broker_settings() -> dict[str, Any]:
    """Return the broker's address and options: the one configured, or the embedded one."""
    url = env.str("CELERY_BROKER_URL", default="") or broker.url(DATA_DIR)
    if url.startswith("filesystem:"):
        return {
            "broker_url": url,
            "broker_transport_options": broker.folders(DATA_DIR),
        }
    return {
        "broker_url": url,
        "broker_transport_options": {
            "visibility_timeout": VISIBILITY_SECONDS,
            # Without these two, what a killed worker held comes back after minutes.
            "unacked_restore_throttle": 1,
            "unacked_restore_interval": 5,
            "socket_connect_timeout": 2,
            "socket_timeout": 30,
        },
    }


CELERY: dict[str, Any] = {
    **broker_settings(),
    "task_queues": [
        Queue(name, routing_key=name)  # type: ignore[no-untyped-call]  # kombu has no types
        for name in ("celery", PROMPT)
    ],
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "worker_prefetch_multiplier": 1,
    "worker_hijack_root_logger": False,
    "worker_soft_shutdown_timeout": 10.0,
    "worker_enable_remote_control": False,
    "task_ignore_result": True,
    "task_serializer": "json",
    "accept_content": ["json"],
    "task_always_eager": False,
    # A request never waits for a broker that is down.
    "task_publish_retry": False,
    "broker_connection_timeout": 2,
    "broker_connection_retry_on_startup": True,
    "enable_utc": True,
    "beat_scheduler": "django_celery_beat.schedulers:DatabaseScheduler",
}
