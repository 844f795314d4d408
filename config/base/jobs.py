"""Work besides requests: hints to workers, and the jobs that time triggers.

What has to be done stands in the database, and a job finds it; a message only makes it soon. So
a broker that is down costs time and never a request.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from celery import Task
from django.db import transaction
from kombu.exceptions import OperationalError

PAUSE_SECONDS = 5.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Turn:
    """What a job is given: up to which instant to work, and when what it writes is recorded.

    `progress(done, total)` is called between transactions; it is the job's sign of life.
    """

    at: datetime
    recorded_at: datetime
    progress: Callable[[int, int], None]


Work = Callable[[Turn], int]


@dataclass(frozen=True, slots=True)
class Job:
    """Work that time triggers, and how often to look for it; it returns how much it found.

    Doing it again finds nothing, doing it late finds all: it works up to an instant.
    """

    name: str
    work: Work
    every: timedelta


_jobs: dict[str, Job] = {}


def register(name: str, work: Work, *, every: timedelta) -> None:
    """Add a job; jobs run in the order in which they are registered.

    Raises: ValueError when other work has the name.
    """
    job = Job(name, work, every)
    if _jobs.setdefault(name, job) != job:
        raise ValueError(f"there is a job named {name} already")


def registered() -> list[Job]:
    """Return all jobs, in order."""
    return list(_jobs.values())


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
