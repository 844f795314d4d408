"""Totals of members and their enrolment, for the start page and the enrolment report."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import cycle

from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.db.models.functions import TruncMonth
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from config.base import clock
from config.base.admin import charts, site
from members.admin.base import channel_name
from members.models import Channel, Member

MONTHS_SHOWN = 13


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Members by month and channel; what is shown adds up to the total."""

    months: Sequence[date]
    channels: Sequence[str]
    counts: Mapping[tuple[date, str], int]

    @property
    def total(self) -> int:
        """Return all members counted."""
        return sum(self.counts.values())

    def of_channel(self, channel: str) -> list[int]:
        """Return the channel's members month by month."""
        return [self.counts.get((month, channel), 0) for month in self.months]

    def rows(self) -> list[tuple[date, list[int], int]]:
        """Return (month, members per channel, sum of the month)."""
        return [
            (month, numbers, sum(numbers))
            for month in self.months
            for numbers in [[self.counts.get((month, channel), 0) for channel in self.channels]]
        ]

    def sums(self) -> list[int]:
        """Return the members per channel over all months."""
        return [sum(self.of_channel(channel)) for channel in self.channels]


def month_start(day: date) -> date:
    """Return the first day of the day's month."""
    return day.replace(day=1)


def months_until(last: date, count: int) -> list[date]:
    """Return the first days of the months that end with the month of `last`."""
    return [clock.add_months(month_start(last), -back) for back in range(count - 1, -1, -1)]


def enrolment(first: date | None, last: date) -> Enrolment:
    """Count members by local month and channel, from a month (None: the first) to a month.

    Source: ORG-06.
    """
    until = clock.day_start(clock.add_months(month_start(last), 1))
    rows = Member.objects.filter(joined_at__lt=until)
    if first is not None:
        rows = rows.filter(joined_at__gte=clock.day_start(month_start(first)))
    counted = (
        rows.annotate(month=TruncMonth("joined_at", tzinfo=clock.zone()))
        .values_list("month", "channel")
        .annotate(members=Count("pk"))
        .order_by("month", "channel")
    )
    counts = Counter({(month.date(), channel): n for month, channel, n in counted})
    begin = first or min((month for month, _channel in counts), default=last)
    span = (last.year - begin.year) * 12 + last.month - begin.month + 1
    order = [str(value) for value in Channel.values]
    present = {channel for _month, channel in counts}
    channels = sorted(present, key=lambda c: (order.index(c) if c in order else len(order), c))
    return Enrolment(months_until(last, span), channels, counts)


def enrolment_chart(found: Enrolment) -> Mapping[str, str]:
    """Return the stacked bars of an enrolment."""
    return charts.bars(
        [f"{month:%Y-%m}" for month in found.months],
        [
            (channel_name(channel), found.of_channel(channel), colour)
            for channel, colour in zip(found.channels, cycle(charts.PALETTE), strict=False)
        ],
        is_stacked=True,
    )


def enrolment_page(request: HttpRequest) -> HttpResponse:
    """Show enrolment by month and channel, with sums both ways."""
    if not request.user.has_perm("members.view_member"):
        raise PermissionDenied
    today = clock.local_day(clock.now())
    is_all = request.GET.get("span") == "all"
    found = enrolment(None if is_all else months_until(today, MONTHS_SHOWN)[0], today)
    context = {
        **site.current().each_context(request),
        "title": _("Enrolment by channel"),
        "enrolment": found,
        "channels": [channel_name(channel) for channel in found.channels],
        "chart": enrolment_chart(found),
        "is_all": is_all,
        "months_shown": MONTHS_SHOWN,
    }
    return TemplateResponse(request, "admin/members/enrolment.html", context)
