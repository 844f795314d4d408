"""Totals of points for the start page."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db.models import Q, Sum
from django.db.models.functions import TruncMonth
from django.utils.translation import gettext as _

from config.base import clock
from config.base.admin import charts
from config.base.admin.kept import kept
from config.base.panels import Visit
from rewards.domain.buckets import Bucket
from rewards.models import Entry

MONTHS_SHOWN = 13
ISSUED_COLOUR, USED_COLOUR, EXPIRED_COLOUR = "#0d9488", "#6366f1", "#f59e0b"


def monthly(visit: Visit) -> Mapping[str, Any]:
    """Show points issued, used and expired in each of the last months."""
    this = clock.local_day(visit.at).replace(day=1)
    months = [clock.add_months(this, -back) for back in range(MONTHS_SHOWN - 1, -1, -1)]
    flows = kept(f"flows:{this}", lambda: _flows(months[0]))
    if not flows:
        return {"chart": None}
    series = [
        (_("Issued"), 0, ISSUED_COLOUR),
        (_("Used"), 1, USED_COLOUR),
        (_("Expired"), 2, EXPIRED_COLOUR),
    ]
    return {
        "chart": charts.bars(
            [f"{month:%Y-%m}" for month in months],
            [
                (name, [flows.get(month, (0, 0, 0))[place] for month in months], colour)
                for name, place, colour in series
            ],
        )
    }


def _flows(first: date) -> dict[date, tuple[int, int, int]]:
    """Return (issued, spent, expired) by local month; spent is net of what was given back."""
    rows = (
        Entry.objects.filter(occurred_at__gte=clock.day_start(first))
        .annotate(month=TruncMonth("occurred_at", tzinfo=clock.zone()))
        .values("month")
        .annotate(
            issued=Sum("points", filter=Q(source=Bucket.ISSUANCE), default=0),
            spent=Sum("points", filter=Q(target=Bucket.REDEEMED), default=0),
            returned=Sum("points", filter=Q(source=Bucket.REDEEMED), default=0),
            expired=Sum("points", filter=Q(target=Bucket.EXPIRED), default=0),
        )
        .order_by("month")
    )
    return {
        row["month"].date(): (row["issued"], row["spent"] - row["returned"], row["expired"])
        for row in rows
    }
