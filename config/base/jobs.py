"""Hints to workers.

What has to be done stands in the database, and a sweep finds it; a message only makes it soon. So
a broker that is down costs time and never a request.
"""

import logging
import time
from typing import Any

from celery import Task
from django.db import transaction
from kombu.exceptions import OperationalError

PAUSE_SECONDS = 5.0

logger = logging.getLogger(__name__)


class _Pause:
    """Until when nobody tries a broker that did not answer: waiting for it takes seconds."""

    until = 0.0


def hint(task: Task, *arguments: Any) -> None:
    """Have a worker run the task soon after the transaction commits. Pass ids, not objects."""
    transaction.on_commit(lambda: _send(task, arguments))


def _send(task: Task, arguments: tuple[Any, ...]) -> None:
    if time.monotonic() < _Pause.until:
        return
    try:
        task.apply_async(args=arguments, retry=False)
    except (OperationalError, OSError) as error:
        _Pause.until = time.monotonic() + PAUSE_SECONDS
        logger.warning("the broker did not take %s: %s", task.name, type(error).__name__)
