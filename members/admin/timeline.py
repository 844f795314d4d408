"""What members themselves add to the timeline: events, cases and requests for approval."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext

from config.base import clock, panels, timeline
from config.base.admin import formats
from config.base.names import name_of
from config.base.panels import Visit
from config.base.timeline import Item, Window
from members import words
from members.models import (
    Approval,
    Case,
    Interaction,
    InteractionKind,
    Member,
    MemberEvent,
    Order,
)
from members.services import approvals, notes

KIND_OF_PREFIX: Final = {
    "order": "order", "refund": "order", "interaction": "interaction", "tier": "tier",
    "coupon": "coupon", "redemption": "reward", "grant": "benefit", "entitlement": "benefit",
    "benefit": "benefit", "membership": "benefit", "consent": "consent", "points": "points",
    "goodwill": "points", "case": "case", "member": "member",
    "referral": "points", "payout": "points", "offer": "reward",
}  # fmt: skip
# The entries say the same, with their why.
TOLD_BY_ENTRIES: Final = ("points.reserved", "points.captured", "points.released")
STAFF: Final = "staff:"
ABOUT_ORDERS: Final = ("order.recorded", "refund.recorded")


def timeline_page(request: HttpRequest, member_id: int) -> HttpResponse:
    """Return a further part of one member's timeline, as a piece of a page."""
    if not request.user.has_perm("members.view_member"):
        return HttpResponse(status=403)
    member = get_object_or_404(Member.objects.select_related("profile"), pk=member_id)
    visit = Visit(request, clock.now(), member)
    context = part(visit, request.GET.get("kind", ""), request.GET.get("cursor", ""))
    return TemplateResponse(request, "admin/members/timeline_part.html", context)


def part(visit: Visit, kind: str = "", cursor: str = "") -> dict[str, Any]:
    """Return what a part of the timeline shows."""
    kind = kind if kind in timeline.KINDS else ""
    return {"page": timeline.page(visit, kind=kind, cursor=cursor), "kind": kind, "visit": visit}


def panel(visit: Visit) -> Mapping[str, Any]:
    """Show the timeline's first part, and what can be chosen of it."""
    return {**part(visit), "kinds": timeline.kinds(visit)}


def note_reader(visit: Visit) -> Callable[[str], str]:
    """Return how sealed notes about the member are read, its key being read once a page."""
    return visit.once("note_reader", lambda: notes.reader(member=visit.subject.pk))


# Events


def events(visit: Visit, window: Window) -> Sequence[Item]:
    """Return the member's events. Source: MEM-09."""
    rows = MemberEvent.objects.filter(window.query("occurred_at"), member_id=visit.subject.pk)
    rows = rows.exclude(kind__in=TOLD_BY_ENTRIES)
    # An act of its own tells of an adjustment that it has made.
    rows = rows.exclude(kind="points.adjusted", payload__has_key="ground")
    if window.kind:
        prefixes = [prefix for prefix, kind in KIND_OF_PREFIX.items() if kind == window.kind]
        wanted = Q()
        for prefix in prefixes:
            wanted |= Q(kind__startswith=f"{prefix}.")
        rows = rows.filter(wanted)
    found = list(rows.order_by("-occurred_at", "-pk")[: window.limit])
    orders, interactions = _orders(found), _interactions(found)
    return [_event(visit, row, orders, interactions) for row in found]


def _orders(events: Sequence[MemberEvent]) -> dict[tuple[str, str], Order]:
    """Return the orders that events are about, in one statement."""
    refs = {_order_ref(event) for event in events if event.kind in ABOUT_ORDERS}
    if not refs:
        return {}
    rows = Order.objects.filter(order_no__in={order_no for _source, order_no in refs})
    found = rows.filter(source__in={source for source, _no in refs}).select_related("store")
    return {(order.source, order.order_no): order for order in found}


def _order_ref(event: MemberEvent) -> tuple[str, str]:
    ref = str(event.payload.get("ref", ""))
    if event.kind == "refund.recorded":
        ref = ref.rsplit("/", 1)[0]
    return str(event.payload.get("source", "")), ref


def _interactions(events: Sequence[MemberEvent]) -> dict[tuple[str, str], str]:
    """Return what kind of interaction events are about, by name."""
    refs = {
        (str(event.payload.get("source", "")), str(event.payload.get("ref", "")))
        for event in events
        if event.kind == "interaction.recorded"
    }
    if not refs:
        return {}
    rows = Interaction.objects.filter(ref__in={ref for _source, ref in refs})
    kinds = {(row.source, row.ref): row.kind for row in rows}
    named = InteractionKind.objects.filter(code__in=set(kinds.values()))
    names = {kind.code: name_of(kind) for kind in named}
    return {key: names.get(kind, kind) for key, kind in kinds.items()}


def _event(
    visit: Visit,
    row: MemberEvent,
    orders: Mapping[tuple[str, str], Order],
    interactions: Mapping[tuple[str, str], str],
) -> Item:
    details, url, title = _details(visit, row), "", words.event(row.kind)
    if row.kind in ABOUT_ORDERS:
        order = orders.get(_order_ref(row))
        details = _order_details(row, order)
        url = reverse("admin:members_order_change", args=[order.pk]) if order else ""
    elif row.kind == "interaction.recorded":
        payload = row.payload
        title = interactions.get((payload.get("source", ""), payload.get("ref", "")), title)
        details = [str(payload.get("source", ""))]
    return Item(
        at=row.occurred_at,
        id=row.pk,
        kind=KIND_OF_PREFIX.get(row.kind.partition(".")[0], "member"),
        title=title,
        details=details,
        url=url,
        actor=by_staff(str(row.payload.get("actor", "") or row.caused_by)),
    )


def by_staff(actor: str) -> str:
    """Return who of the staff has acted; what systems do needs no name here."""
    return actor.removeprefix(STAFF) if actor.startswith(STAFF) else ""


def _details(visit: Visit, row: MemberEvent) -> Sequence[str]:
    """Return what an event says: an app's own words, else its payload; how the caller was known."""
    told = panels.event_details(visit, row.kind, row.payload)
    details = list(words.details(row.payload) if told is None else told)
    if check := row.payload.get("verified_by"):
        details.append(words.caller_check(str(check)))
    return details


def _order_details(row: MemberEvent, order: Order | None) -> list[str]:
    source, order_no = _order_ref(row)
    if order is None:
        return [f"{source} {order_no}"]
    parts = [order_no, formats.money(order.net_amount), source]
    if order.store is not None:
        parts.append(str(order.store))
    version = int(row.payload.get("version") or 1)
    if row.kind == "order.recorded" and version > 1:
        parts.append(gettext("changed"))
    return parts


def sealed_details(visit: Visit, payload: Mapping[str, Any]) -> list[str]:
    """Return what an act of staff says: its reason, unsealed, and who the caller was taken for."""
    sealed = str(payload.get("note", ""))
    text = note_reader(visit)(sealed) if sealed else ""
    return [text] if text else []


def status_details(visit: Visit, payload: Mapping[str, Any]) -> list[str]:
    """Return what a change of status says in the timeline, its note unsealed."""
    reason = words.status_reason(str(payload.get("reason", "")))
    return [text for text in (reason, *sealed_details(visit, payload)) if text]


# Cases and requests


def cases(visit: Visit, window: Window) -> Sequence[Item]:
    """Return the cases about the member."""
    rows = Case.objects.filter(window.query("opened_at"), member_id=visit.subject.pk)
    return [
        Item(
            at=row.opened_at,
            id=row.pk,
            kind="case",
            title=words.case(row.code),
            details=[str(row.get_state_display())],
            url=reverse("admin:members_case_change", args=[row.pk]),
        )
        for row in rows.order_by("-opened_at", "-pk")[: window.limit]
    ]


def requests(visit: Visit, window: Window) -> Sequence[Item]:
    """Return what staff have asked a second person for."""
    rows = Approval.objects.filter(window.query("requested_at"), member_id=visit.subject.pk)
    return [
        Item(
            at=row.requested_at,
            id=row.pk,
            kind="member",
            title=approvals.title_of(row.kind),
            details=[approvals.summary_of(row), str(row.get_state_display())],
            url=reverse("admin:members_approval_decide", args=[row.pk]),
            actor=by_staff(row.requested_by),
        )
        for row in rows.order_by("-requested_at", "-pk")[: window.limit]
    ]


EVENTS: Final = timeline.Source(
    "events", frozenset(KIND_OF_PREFIX.values()), events, "members.view_memberevent"
)
CASES: Final = timeline.Source("cases", frozenset({"case"}), cases, "members.view_case")
REQUESTS: Final = timeline.Source(
    "requests", frozenset({"member"}), requests, "members.view_approval"
)
