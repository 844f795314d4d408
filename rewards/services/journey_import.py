"""Load the Complete Journey through enrolment and intake, as any file is loaded."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from django.db import connection

from config.base import side_by_side
from members.models import Channel
from rewards.models import ImportJob
from rewards.services import complete_journey, importing
from rewards.services.complete_journey import Journey
from rewards.services.importing import Loading, Progress
from rewards.services.joining_requests import EnrolmentRequest
from rewards.services.order_loading import OrderTaker
from rewards.services.rejects import RejectsFile

# Below this many baskets a second process costs more than it saves.
WORTH_SHARING: Final = 20_000

Describe = Callable[[int, datetime], EnrolmentRequest]
"""Makes the enrolment request of a household whose first basket was at an instant."""


def load(
    *,
    journey: Journey,
    at: datetime,
    describe: Describe | None = None,
    progress: Progress = importing.unheard,
    processes: int = 1,
) -> dict[str, int]:
    """Enrol the households and load their baskets; returns what became of them.

    With several processes each loads its share of the households; no share touches another.
    Source: design §7 (import_complete_journey).
    """
    origin = journey.origin
    before = importing.finished_before(origin)
    if before is not None:
        return {"loaded_before": before.total}
    with importing.job_for(origin, at=at) as job:
        households, total = journey.first_baskets(), journey.order_count
        requests = [(describe or bare_request)(*household) for household in households]
        importing.enrol_unknown(requests, at=at, progress=progress)
        if processes > 1 and total >= WORTH_SHARING:
            journey.forget()
            counts = _load_shares(journey, total, at, progress, processes)
        else:
            counts = _load_baskets(journey, job, at, progress)
        job.total, job.position, job.report = total, total, counts
        return {"members": len(households), **counts}


def _load_baskets(
    journey: Journey, job: ImportJob, at: datetime, progress: Progress
) -> dict[str, int]:
    with RejectsFile(None) as rejects:
        taker = OrderTaker(at=at, is_history=True, rejects=rejects)
        loading = Loading(job, rejects, progress)
        loading.load(journey.batches(job.position), taker.take, journey.order_count)
    return {name: count for name, count in job.report.items() if name != "rejects_bytes"}


def _load_shares(
    journey: Journey, total: int, at: datetime, progress: Progress, processes: int
) -> dict[str, int]:
    reports = side_by_side.run(
        f"{__name__}.load_share",
        [
            {"journey": replace(journey, share=(number, processes)), "at": at}
            for number in range(processes)
        ],
        database=str(connection.settings_dict["NAME"]),
        progress=lambda done: progress("load", done, total),
    )
    return dict(sum(map(Counter, reports), Counter[str]()))


def load_share(*, journey: Journey, at: datetime, report: side_by_side.Report) -> dict[str, int]:
    """Load the baskets of one share, whose households are enrolled; goes on where it was."""

    def tell(phase: str, done: int, total: int) -> None:
        if phase == "load" and total:
            report(done)

    with importing.job_for(journey.origin, at=at) as job:
        return _load_baskets(journey, job, at, tell)


def bare_request(household: int, joined_at: datetime) -> EnrolmentRequest:
    """Return the request that enrols a household by its identifier alone."""
    return EnrolmentRequest(
        identifiers=(
            (complete_journey.IDENTIFIER_KIND, complete_journey.external_id(household), ""),
        ),
        channel=Channel.IMPORT.value,
        joined_at=joined_at,
    )
