"""The monthly points statement of one member, to read out or to print."""

from datetime import date
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from config.base import clock
from config.base.admin import site
from members.admin.member import masked_name
from members.models import Member
from rewards import balances, words
from rewards.models import Entry

PERMISSION = "rewards.view_entry"
MONTHS_OFFERED = 24
ENTRIES_SHOWN = 500


def statement_page(request: HttpRequest, member_id: int) -> HttpResponse:
    """Show how a month's points led from the opening to the closing balance.

    Source: PTS-14.
    """
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    member = get_object_or_404(Member.objects.select_related("profile"), pk=member_id)
    at = clock.now()
    today = clock.local_day(at)
    month = chosen_month(request.GET.get("month", ""), today)
    entries = _entries(member, month)
    context = {
        **site.current().each_context(request),
        "title": _("Monthly points statement"),
        "member": member,
        "member_name": masked_name(member),
        "month": month,
        "months": _months(member, today),
        "statement": balances.statement_of(member.pk, month=month, at=at),
        "rows": entries[:ENTRIES_SHOWN],
        "is_cut": len(entries) > ENTRIES_SHOWN,
        "printed_at": at,
    }
    return TemplateResponse(request, "admin/rewards/statement.html", context)


def chosen_month(text: str, today: date) -> date:
    """Return the first day of the month that was asked for, of this month for anything else."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return today.replace(day=1)


def _months(member: Member, today: date) -> list[date]:
    this = today.replace(day=1)
    joined = clock.local_day(member.joined_at).replace(day=1)
    found = (clock.add_months(this, -back) for back in range(MONTHS_OFFERED))
    return [month for month in found if month >= joined] or [this]


def _entries(member: Member, month: date) -> list[dict[str, Any]]:
    rows = Entry.objects.filter(
        account__member=member,
        account__kind=balances.POINTS,
        occurred_at__gte=clock.day_start(month),
        occurred_at__lt=clock.day_start(clock.add_months(month, 1)),
    )
    related = rows.select_related("order", "rule__rule").order_by("occurred_at", "seq")
    changes = [
        {
            "entry": entry,
            "title": words.movement(entry.source, entry.target),
            "change": words.change(entry.source, entry.target, entry.points),
        }
        for entry in related[: ENTRIES_SHOWN + 1]
    ]
    return [row for row in changes if row["change"]]
