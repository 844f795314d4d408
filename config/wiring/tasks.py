"""Background work of the site: what the scheduler has run every minute."""

from celery import shared_task

from campaigns.services import measuring
from config.base import job_runs
from config.wiring import due, followers, self_audit

WORKER = "worker"

due.install()
followers.install()


@shared_task(name="config.run_due_now", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def run_due_now() -> None:
    """Run what time has triggered. Late, twice or from two schedulers at once: it is done once."""
    job_runs.beat(WORKER)
    due.run_scheduled()


@shared_task(name="config.measure_start_page", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def measure_start_page() -> None:
    """Measure what the start page shows, before anybody asks for it."""
    if (at := due.scheduled_instant()) is not None:
        measuring.measure_start_page(at=at)


@shared_task(name="config.prove_invariants", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def prove_invariants() -> None:
    """Prove the invariants unless that was done today; what came of it is a job run."""
    self_audit.run_scheduled()
