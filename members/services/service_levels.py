"""How soon a case is to be answered and solved: what is promised, and when the desk is there.

Source: SVC-02, SVC-10, BEN-05.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from members.domain import business_hours
from members.domain.business_hours import Calendar, Hours
from members.models import CaseKind, CasePriority, ServiceHours, ServicePolicy, SpecialDay, Weekday

_DESK: Final = (time(9), time(21))
_DEFAULTS: Final = (
    (CaseKind.ENQUIRY, 0, CasePriority.NORMAL, 480, 1_440),
    (CaseKind.ENQUIRY, 1, CasePriority.NORMAL, 240, 1_440),
    (CaseKind.ENQUIRY, 2, CasePriority.HIGH, 120, 720),
    (CaseKind.ENQUIRY, 3, CasePriority.HIGH, 30, 480),
    (CaseKind.COMPLAINT, 0, CasePriority.NORMAL, 240, 2_160),
    (CaseKind.COMPLAINT, 2, CasePriority.HIGH, 120, 1_440),
    (CaseKind.COMPLAINT, 3, CasePriority.URGENT, 30, 720),
    (CaseKind.SUGGESTION, 0, CasePriority.LOW, 1_440, 7_200),
    (CaseKind.SUGGESTION, 3, CasePriority.NORMAL, 720, 7_200),
    (CaseKind.SERVICE_REQUEST, 0, CasePriority.NORMAL, 240, 2_880),
    (CaseKind.SERVICE_REQUEST, 3, CasePriority.HIGH, 60, 1_440),
)
"""Kind, from service level, priority, business minutes to the answer and to the solution."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a case is promised when it is opened."""

    priority: int
    first_response_due_at: datetime | None
    resolve_due_at: datetime | None


def promise(*, kind: str, service_level: int, at: datetime) -> Promise:
    """Return what a case of a kind is promised at an instant; no clock where no policy fits."""
    rows = ServicePolicy.objects.filter(kind=kind, service_level__lte=service_level)
    policy = rows.order_by("-service_level").first()
    if policy is None:
        return Promise(CasePriority.NORMAL, None, None)
    hours = calendar()
    return Promise(
        policy.priority,
        _due(hours, at, policy.first_response_minutes),
        _due(hours, at, policy.resolve_minutes),
    )


def _due(hours: Calendar, at: datetime, minutes: int | None) -> datetime | None:
    return None if minutes is None else business_hours.add(hours, at, timedelta(minutes=minutes))


def calendar() -> Calendar:
    """Return when the desk is there."""
    return Calendar(
        {row.weekday: Hours(row.opens, row.closes) for row in ServiceHours.objects.all()},
        {
            row.on: None if row.opens is None or row.closes is None
            else Hours(row.opens, row.closes)
            for row in SpecialDay.objects.all()
        },
    )  # fmt: skip


def resumed(*, due_at: datetime, waiting_since: datetime, at: datetime) -> datetime:
    """Return when something is due whose clock stood still while the member was waited for."""
    if due_at <= waiting_since:
        return due_at
    hours = calendar()
    return business_hours.add(hours, at, business_hours.between(hours, waiting_since, due_at))


def load_defaults() -> list[str]:
    """Fill in policies and hours where there are none; returns what was made."""
    made = []
    if not ServicePolicy.objects.exists():
        ServicePolicy.objects.bulk_create(
            ServicePolicy(
                kind=kind, service_level=level, priority=priority,
                first_response_minutes=answer, resolve_minutes=solution,
            )
            for kind, level, priority, answer, solution in _DEFAULTS
        )  # fmt: skip
        made.append("service_policies")
    if not ServiceHours.objects.exists():
        opens, closes = _DESK
        ServiceHours.objects.bulk_create(
            ServiceHours(weekday=day, opens=opens, closes=closes) for day in Weekday
        )
        made.append("service_hours")
    return made
