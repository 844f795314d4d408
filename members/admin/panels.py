"""What members themselves show on the console's pages."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q

from config.base.panels import Visit
from members import words
from members.admin.case_page import WORK
from members.admin.case_rows import rows_of
from members.admin.member import identifiers_of
from members.models import (
    Approval,
    Case,
    Consent,
    Identifier,
    IdentifierKind,
    Member,
    Verification,
)
from members.models.staff import ApprovalState
from members.services import approvals
from members.services import consents as given

WORK_SHOWN = 8
MARKETING = "marketing"


def identifiers(visit: Visit) -> Mapping[str, Any]:
    """Show what leads to the member, masked."""
    return {"identifiers": identifiers_of(visit)}


def profile(visit: Visit) -> Mapping[str, Any] | None:
    """Show what is known of the person without reading anything sealed."""
    known = getattr(visit.subject, "profile", None)
    return None if known is None else {"profile": known}


def consents(visit: Visit) -> Mapping[str, Any]:
    """Show the latest decision per purpose and channel."""
    return {"consents": [(words.purpose(row.purpose), row) for row in consents_of(visit)]}


def consents_of(visit: Visit) -> list[Consent]:
    """Return the member's latest decision per purpose and channel."""
    pk = visit.subject.pk
    return visit.once("consents", lambda: list(given.current([pk]).get(pk, {}).values()))


def warnings(visit: Visit) -> Mapping[str, Any]:
    """Show what somebody who serves the member should know first."""
    pk = visit.subject.pk
    allows = any(row.granted for row in consents_of(visit) if row.purpose == MARKETING)
    open_cases = visit.once("open_cases", lambda: _open_cases(pk))
    waits = Verification.objects.filter(
        member_id=pk, resolved_at__isnull=True, expires_at__gt=visit.at
    )
    return {
        "member": visit.subject,
        "open_cases": len(open_cases),
        "no_marketing": not allows,
        "verification": waits.exists(),
    }


def _open_cases(member_id: int) -> list[Case]:
    """Return a member's cases, and those of whoever was merged into them: they stay open."""
    people = Member.objects.filter(Q(pk=member_id) | Q(merged_into_id=member_id)).values("pk")
    found = Case.objects.undone().filter(member_id__in=people).in_queue_order()
    return list(found.select_related("owner"))


def cases(visit: Visit) -> Mapping[str, Any]:
    """Show what somebody has to look at, with its clocks, and requests that wait."""
    found = visit.once("open_cases", lambda: _open_cases(visit.subject.pk))
    waiting = Approval.objects.filter(
        member_id=visit.subject.pk, state=ApprovalState.REQUESTED
    ).order_by("-id")
    return {
        "cases": rows_of(found, visit.at),
        "requests": [
            (approvals.title_of(row.kind), approvals.summary_of(row), row) for row in waiting
        ],
        "may_open": visit.may(WORK),
    }


def phone_tails(members: Sequence[Member], _at: datetime) -> Mapping[int, str]:
    """Return the last digits of each member's phone, for the member list."""
    rows = Identifier.objects.filter(
        member_id__in=[member.pk for member in members],
        kind=IdentifierKind.PHONE,
        ended_at__isnull=True,
    )
    return {pk: f"•••• {tail}" for pk, tail in rows.values_list("member_id", "tail4") if tail}
