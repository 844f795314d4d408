"""The audit by itself, once a day: whether all invariants hold stands in the record of its run.

It is no part of `run_due`: time brings nothing about here. What is broken is the run's error, so
that the start page and the monitors show it.

Source: ORG-06.
"""

from datetime import timedelta
from typing import Final

from campaigns.admin.today import AUDIT_JOB, BROKEN
from config.base import audit, clock, job_runs
from config.base.errors import DomainError
from config.base.job_runs import Report
from config.base.jobs import Job, Turn
from config.wiring import audits

EVERY: Final = timedelta(days=1)


class InvariantsBrokenError(DomainError):
    """Some invariants do not hold; `loyalty_audit` names the rows."""


def run_scheduled() -> Report:
    """Prove all invariants unless that was done in this period, or is being done."""
    now = clock.now()
    return job_runs.run_scheduled(Job(AUDIT_JOB, prove, EVERY), at=now, recorded_at=now)


def prove(_turn: Turn) -> int:
    """Prove every invariant on one snapshot; return how many there are.

    No sign of life meanwhile: the snapshot is a read-only transaction of this connection.
    Raises: InvariantsBrokenError, its code naming those that are broken.
    """
    audits.install()
    checks = audit.select(())
    broken = [result.check.code for result in audit.run(checks, shown=1) if result.count]
    if broken:
        raise InvariantsBrokenError(f"{BROKEN}: {' '.join(broken)}", "invariants are broken")
    return len(checks)
