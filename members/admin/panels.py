"""What members themselves show on the console's pages."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from config.base import panels
from config.base.panels import Visit
from members import words
from members.admin.case_page import WORK
from members.admin.case_rows import rows_of
from members.models import (
    Approval,
    Case,
    Consent,
    Identifier,
    IdentifierKind,
    Member,
    MemberEvent,
)
from members.models.staff import ApprovalState
from members.services import approvals, notes

EVENTS_SHOWN = 30
WORK_SHOWN = 8


def identifiers(visit: Visit) -> Mapping[str, Any]:
    """Show what leads to the member, masked."""
    rows = Identifier.objects.filter(member_id=visit.subject.pk).order_by("ended_at", "kind", "-id")
    return {"identifiers": rows}


def profile(visit: Visit) -> Mapping[str, Any] | None:
    """Show what is known of the person without reading anything sealed."""
    known = getattr(visit.subject, "profile", None)
    return None if known is None else {"profile": known}


def consents(visit: Visit) -> Mapping[str, Any]:
    """Show the latest decision per purpose and channel."""
    latest = (
        Consent.objects.filter(member_id=visit.subject.pk)
        .select_related("touchpoint")
        .order_by("purpose", "channel", "-given_at", "-id")
        .distinct("purpose", "channel")
    )
    return {"consents": [(words.purpose(row.purpose), row) for row in latest]}


def timeline(visit: Visit) -> Mapping[str, Any]:
    """Show what happened, the latest first."""
    rows = MemberEvent.objects.filter(member_id=visit.subject.pk).order_by("-occurred_at", "-id")
    events = [_event(visit, row) for row in rows[:EVENTS_SHOWN]]
    return {"events": events, "limit": EVENTS_SHOWN}


def _event(visit: Visit, row: MemberEvent) -> Mapping[str, Any]:
    told = panels.event_details(visit, row.kind, row.payload)
    return {
        "at": row.occurred_at,
        "title": words.event(row.kind),
        "details": words.details(row.payload) if told is None else told,
        "actor": row.caused_by or row.payload.get("actor", ""),
    }


def cases(visit: Visit) -> Mapping[str, Any]:
    """Show what somebody has to look at, with its clocks, and requests that wait."""
    found = Case.objects.undone().filter(member_id=visit.subject.pk).in_queue_order()
    waiting = Approval.objects.filter(
        member_id=visit.subject.pk, state=ApprovalState.REQUESTED
    ).order_by("-id")
    return {
        "cases": rows_of(found.select_related("owner"), visit.at),
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


def status_details(visit: Visit, payload: Mapping[str, Any]) -> list[str]:
    """Return what a change of status says in the timeline, its note unsealed."""
    sealed = str(payload.get("note", ""))
    note = notes.read(member=visit.subject.pk, sealed=sealed) if sealed else ""
    return [text for text in (words.status_reason(str(payload.get("reason", ""))), note) if text]
