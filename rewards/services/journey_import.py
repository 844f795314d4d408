"""Load the Complete Journey through enrolment and intake, as any file is loaded."""

from collections.abc import Callable
from datetime import datetime

from members.models import Channel
from rewards.services import complete_journey, importing
from rewards.services.complete_journey import Journey
from rewards.services.importing import Loading, Progress
from rewards.services.joining_requests import EnrolmentRequest
from rewards.services.order_loading import OrderTaker
from rewards.services.rejects import RejectsFile

Describe = Callable[[int, datetime], EnrolmentRequest]
"""Makes the enrolment request of a household whose first basket was at an instant."""


def load(
    *,
    journey: Journey,
    at: datetime,
    describe: Describe | None = None,
    progress: Progress = importing.unheard,
) -> dict[str, int]:
    """Enrol the households and load their baskets; returns what became of them.

    Source: design §7 (import_complete_journey).
    """
    origin = journey.origin
    before = importing.finished_before(origin)
    if before is not None:
        return {"loaded_before": before.total}
    with importing.job_for(origin, at=at) as job, RejectsFile(None) as rejects:
        households = journey.first_baskets()
        if not job.position:
            requests = [(describe or bare_request)(*household) for household in households]
            importing.enrol_unknown(requests, at=at, progress=progress)
        taker = OrderTaker(at=at, is_history=True, rejects=rejects)
        loading = Loading(job, rejects, progress)
        loading.load(journey.batches(job.position), taker.take, journey.order_count)
        return {"members": len(households), **job.report}


def bare_request(household: int, joined_at: datetime) -> EnrolmentRequest:
    """Return the request that enrols a household by its identifier alone."""
    return EnrolmentRequest(
        identifiers=(
            (complete_journey.IDENTIFIER_KIND, complete_journey.external_id(household), ""),
        ),
        channel=Channel.IMPORT.value,
        joined_at=joined_at,
    )
