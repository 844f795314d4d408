"""Points: outstanding, owed, issued, used, expired."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.kpis.metrics import Group, Measure, Metric, Unit

ENTRIES: Final = """(
    SELECT member_id, source, target, points, occurred_at FROM rewards_entry
    WHERE occurred_at < %(until)s
)"""
STANDING: Final = "('pending', 'available', 'reserved')"


def _between(into: str, out_of: str, days: int | None) -> Measure:
    """Return the points that went into a bucket less those that came back, in a window."""
    since = f" AND occurred_at >= %(d{days})s" if days else ""
    return Measure(
        ENTRIES,
        f"coalesce(sum(CASE WHEN {into} THEN points ELSE -points END)"
        f" FILTER (WHERE ({into} OR {out_of}){since}), 0)",
    )


def _issued(days: int) -> Measure:
    return _between("source = 'issuance'", "false", days)


def _used(days: int) -> Measure:
    return _between("target = 'redeemed'", "source = 'redeemed'", days)


def _expired(days: int) -> Measure:
    return _between("target = 'expired'", "source = 'expired'", days)


def _points(code: str, title: Promise, definition: Promise, measure: Measure) -> Metric:
    return Metric(code, title, definition, Unit.POINTS, Group.POINTS, measure)


METRICS: Final = (
    _points(
        "points_outstanding", _("Points outstanding"),
        _(
            "Pending, available and reserved points of all members at the end of the day."
            " Source: the sum of all entries of the ledger up to then."
        ),
        Measure(
            ENTRIES,
            f"coalesce(sum(points * ((target IN {STANDING})::int - (source IN {STANDING})::int)),"
            " 0)",
        ),
    ),
    _points(
        "points_debt", _("Points debt"),
        _("Points that members owe after claw-backs. Source: entries of the ledger."),
        _between("source = 'debt'", "target = 'debt'", None),
    ),
    _points(
        "issued_today", _("Issued today"),
        _("Points issued since midnight of the programme's day. Source: entries of the ledger."),
        _issued(1),
    ),
    _points(
        "used_today", _("Used today"),
        _(
            "Points redeemed or paid with since midnight, less those given back. Source: entries of"
            " the ledger."
        ),
        _used(1),
    ),
    _points(
        "points_issued", _("Points issued"),
        _("Points issued in the last 30 days, before claw-backs. Source: entries of the ledger."),
        _issued(30),
    ),
    _points(
        "points_used", _("Points used"),
        _(
            "Points redeemed or paid with in the last 30 days, less those given back. Source:"
            " entries of the ledger."
        ),
        _used(30),
    ),
    _points(
        "points_expired", _("Points expired"),
        _("Points that ended unused in the last 30 days. Source: entries of the ledger."),
        _expired(30),
    ),
    Metric(
        "use_rate", _("Share of points used"),
        _("Points used ÷ points issued, both in the last 365 days. Source: entries of the ledger."),
        Unit.PERCENT, Group.POINTS, _used(365), _issued(365),
    ),
    Metric(
        "breakage_rate", _("Breakage"),
        _(
            "Of the points that ended in the last 365 days, used or expired, the share that expired"
            " unused. Source: entries of the ledger."
        ),
        Unit.PERCENT, Group.POINTS, _expired(365),
        Measure(
            ENTRIES,
            "coalesce(sum(CASE WHEN target IN ('redeemed', 'expired') THEN points ELSE -points END)"
            " FILTER (WHERE occurred_at >= %(d365)s AND (target IN ('redeemed', 'expired')"
            " OR source IN ('redeemed', 'expired'))), 0)",
        ),
    ),
)  # fmt: skip
