"""What points show on the member page: balances, lots, entries and orders, each with its why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse

from config.base import clock
from config.base.admin import formats, scope
from config.base.names import name_of
from config.base.panels import Visit
from members.models import Member, Order
from rewards import balances, explanations, queries, words
from rewards.balances import Points
from rewards.models import Entry, Evaluation, Lot, PointsAccount, Rule

ENTRIES_SHOWN = 40
LATEST_SHOWN = 6
LOTS_SHOWN = 15
ORDERS_SHOWN = 20
SOON_DAYS = 30


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry for people."""

    entry: Entry
    title: str
    change: int
    reason: str
    rule: str
    why: list[str]


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order for people, with what it earned and why."""

    order: Order
    points: int
    why: list[str] = field(default_factory=list)


def points_of(visit: Visit) -> Points:
    """Return the balances and what expires, as of the visit; what is due is subtracted."""
    return visit.once("points", lambda: balances.points_of(visit.subject.pk, at=visit.at))


def open_lots(visit: Visit) -> list[Lot]:
    """Return the lots with something left, in the order in which they are spent."""
    rows = Lot.objects.filter(
        account__member_id=visit.subject.pk, account__kind=balances.POINTS, remaining__gt=0
    )
    ordered = rows.select_related("order", "rule__rule").order_by("expires_at", "earned_at", "id")
    return visit.once("lots", lambda: list(ordered))


def entries_of(visit: Visit) -> list[EntryRow]:
    """Return the latest entries, each with its why."""
    return visit.once("entries", lambda: _entries(visit))


def _entries(visit: Visit) -> list[EntryRow]:
    entries = queries.entries_of(visit.subject, before_seq=None, limit=ENTRIES_SHOWN)
    return rows_of(visit, entries[:ENTRIES_SHOWN])


def rows_of(visit: Visit, entries: Sequence[Entry]) -> list[EntryRow]:
    """Return entries for people, each with its why; two statements for any number."""
    facts = {entry.fact_id for entry in entries if entry.fact_id and entry.rule_id}
    decided = Evaluation.objects.filter(fact_id__in=facts).order_by("id")
    reasons: dict[tuple[int, int | None], Sequence[Mapping[str, Any]]] = {
        (row.fact_id, row.order_id): row.explanation
        for row in decided
        if row.member_id == visit.subject.pk
    }
    names = rule_names(visit)
    return [
        _entry_row(entry, reasons.get((entry.fact_id or 0, entry.order_id), ()), names)
        for entry in entries
    ]


def _entry_row(
    entry: Entry, items: Sequence[Mapping[str, Any]], names: Mapping[str, str]
) -> EntryRow:
    code = entry.rule.rule.code if entry.rule else ""
    return EntryRow(
        entry=entry,
        title=words.movement(entry.source, entry.target),
        change=words.change(entry.source, entry.target, entry.points),
        reason=words.reason(entry.reason),
        rule=names.get(code, code),
        why=sentences((item for item in items if item.get("rule") == code), names) if code else [],
    )


def rule_names(visit: Visit) -> Mapping[str, str]:
    """Return the names of all rules in the visitor's language, by code."""
    return visit.once("rule_names", lambda: {r.code: name_of(r) for r in Rule.objects.all()})


def sentences(items: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> list[str]:
    """Return an explanation as sentences."""
    return [explanations.render(item, names) for item in items]


def figures(visit: Visit) -> Mapping[str, Any]:
    """Show the balances, and what expires next."""
    soon = clock.local_day(visit.at) + timedelta(days=SOON_DAYS)
    dated = [(item.on, item.points) for item in points_of(visit).expiring if item.on]
    return {
        "balance": points_of(visit).balance,
        "next": next(iter(dated), None),
        "soon_points": sum(points for on, points in dated if on <= soon),
        "soon_days": SOON_DAYS,
    }


def expiring(visit: Visit) -> Mapping[str, Any]:
    """Show when points expire."""
    days = points_of(visit).expiring
    soon = clock.local_day(visit.at) + timedelta(days=SOON_DAYS)
    shown = [(item, item.on is not None and item.on <= soon) for item in days[:LATEST_SHOWN]]
    return {"days": shown, "more": max(0, len(days) - LATEST_SHOWN)}


def entries(visit: Visit) -> Mapping[str, Any]:
    """Show the entries."""
    return {"rows": entries_of(visit), "limit": ENTRIES_SHOWN}


def lots(visit: Visit) -> Mapping[str, Any]:
    """Show the lots that have something left."""
    found = open_lots(visit)
    rows = [(lot, balances.last_valid_day(lot.expires_at)) for lot in found[:LOTS_SHOWN]]
    return {"lots": rows, "more": max(0, len(found) - LOTS_SHOWN)}


def orders(visit: Visit) -> Mapping[str, Any]:
    """Show the latest orders with what each earned."""
    rows = scope.narrowed(visit.request, Order.objects.filter(member_id=visit.subject.pk))
    rows = rows.select_related("store")
    found = list(rows.order_by("-placed_at", "-id")[:ORDERS_SHOWN])
    newest = (
        Evaluation.objects.filter(order_id__in=[order.pk for order in found])
        .order_by("order_id", "-id")
        .distinct("order_id")
    )
    decided = {row.order_id: row for row in newest}
    names = rule_names(visit)
    return {
        "rows": [_order_row(order, decided.get(order.pk), names) for order in found],
        "limit": ORDERS_SHOWN,
    }


def _order_row(order: Order, decided: Evaluation | None, names: Mapping[str, str]) -> OrderRow:
    if decided is None:
        return OrderRow(order, 0)
    return OrderRow(order, decided.points, sentences(decided.explanation, names))


def order_points(visit: Visit) -> Mapping[str, Any]:
    """Show on an order's page what it earned, why, and the entries that made it so."""
    order: Order = visit.subject
    decided = Evaluation.objects.filter(order=order, member_id=order.member_id)
    newest = decided.order_by("-id").first()
    names = rule_names(visit)
    rows = (
        Entry.objects.filter(order=order)
        .select_related("rule__rule")
        .order_by("recorded_at", "seq")
    )
    return {
        "points": newest.points if newest else 0,
        "why": sentences(newest.explanation, names) if newest else [],
        "entries": [_entry_row(entry, (), names) for entry in rows],
    }


def adjustment_address(visit: Visit) -> str:
    """Return where points are adjusted by hand."""
    return reverse("admin:points_adjustment", args=[visit.subject.pk])


def statement_address(visit: Visit) -> str:
    """Return the member's monthly statement."""
    return reverse("admin:points_statement", args=[visit.subject.pk])


def balances_of(members: Sequence[Member], at: datetime) -> Mapping[int, str]:
    """Return each member's usable points, for the cards of the service desk."""
    rows = PointsAccount.objects.filter(
        member_id__in=[member.pk for member in members], kind=balances.POINTS
    )
    return {
        member: formats.points(points) for member, points in balances.available_of(rows, at).items()
    }
