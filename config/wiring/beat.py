"""The scheduler, which says that it is alive."""

import logging
import time
from typing import Final

from django.db import DatabaseError
from django_celery_beat.schedulers import DatabaseScheduler

from config.base import job_runs
from config.wiring.schedule import SCHEDULER

BEAT_SECONDS: Final = 15.0

logger = logging.getLogger(__name__)


class WatchedScheduler(DatabaseScheduler):  # type: ignore[misc]  # no types there
    """Starts what the database's schedule says, and leaves a heartbeat while it turns."""

    next_beat = 0.0

    def tick(self, *args: object, **kwargs: object) -> float:
        """Start what is due; return the seconds until there may be more."""
        pause: float = super().tick(*args, **kwargs)
        if time.monotonic() >= self.next_beat:
            self._beat()
        return min(pause, BEAT_SECONDS)

    def _beat(self) -> None:
        try:
            job_runs.beat(SCHEDULER)
        except DatabaseError as error:
            logger.warning("no heartbeat of the scheduler: %s", type(error).__name__)
            return
        self.next_beat = time.monotonic() + BEAT_SECONDS
