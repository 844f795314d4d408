"""Who enrolled how many members in a month, by member of staff and store."""

from datetime import date, timedelta
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext

from config.base import clock
from config.base.admin import scope, site
from members.models import Member

PERMISSION: Final = "members.view_league_table"
MONTHS_OFFERED: Final = 12
SHOWN: Final = 100


def league_page(request: HttpRequest) -> HttpResponse:
    """Show the league table of enrolments of one month, within the visitor's stores.

    Source: STF-04.
    """
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    today = clock.local_day(clock.now())
    months = [clock.add_months(today.replace(day=1), -back) for back in range(MONTHS_OFFERED)]
    asked = request.GET.get("month", "")
    month = next((each for each in months if f"{each:%Y-%m}" == asked), months[0])
    context = {
        **site.current().each_context(request),
        "title": gettext("Enrolments by staff"),
        "month": month,
        "months": months,
        "rows": _table(request, month),
    }
    return TemplateResponse(request, "admin/members/league.html", context)


def _table(request: HttpRequest, month: date) -> list[dict[str, Any]]:
    """Return staff and stores with what they enrolled, the most first."""
    until = clock.day_start(clock.add_months(month, 1)) - timedelta(microseconds=1)
    rows = Member.objects.filter(joined_at__range=(clock.day_start(month), until))
    counted = (
        scope.narrowed(request, rows.exclude(enrolled_by=""))
        .values("enrolled_by", "home_store__code", "home_store__name")
        .annotate(members=Count("pk"))
        .order_by("-members", "enrolled_by", "home_store__code")
    )
    return list(counted[:SHOWN])
