"""The month-end page for finance: from opening to closing, what it costs, what is owed.

Source: KPI-11.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import words
from campaigns.admin import csv_files
from campaigns.domain.month_end import SIGNS, Column, Month, columns_of
from campaigns.kpis import month_end, reading
from campaigns.services import unit_costs
from config.base import clock
from config.base.admin import site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from rewards import words as reward_words

VIEW: Final = "campaigns.view_monthend"
EXPORT: Final = "campaigns.export_monthend"
SET_COST: Final = "campaigns.add_unitcost"
MONTHS: Final = 13
ENTRIES_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Closing:
    """What the page is asked for: the month that closes, and by when things had to be known."""

    month: date
    known_at: datetime
    known_on: date | None
    now: datetime

    @property
    def until(self) -> datetime:
        """Return the instant up to which entries act."""
        return min(self.now, clock.day_start(clock.add_months(self.month, 1)))

    @property
    def query(self) -> str:
        """Return the known day for the page's links."""
        return f"known={self.known_on}" if self.known_on else ""


class UnitCostForm(forms.Form):
    """What a point costs, from which day on, and why."""

    effective_on = forms.DateField(
        label=_("Effective on"), widget=forms.DateInput(attrs={"type": "date"})
    )
    amount = forms.DecimalField(
        label=_("Cost of one point"), min_value=0, max_digits=12, decimal_places=6
    )
    reason = forms.CharField(label=_("Reason"), max_length=200, widget=forms.Textarea({"rows": 3}))


def month_end_page(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Show the last months, and of the chosen one what ends when, what it costs and what is owed.

    `?month=` chooses the month, `?known=` the day at whose end things had to be recorded;
    `?format=csv` gives the file.
    """
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    closing = _closing(request)
    calendar = reading.months_back(closing.until, MONTHS)
    months = month_end.month_ends(calendar, until=closing.until, known_at=closing.known_at)
    expiring = month_end.expiring(until=closing.until, known_at=closing.known_at)
    cost = month_end.unit_cost(reading.last_day(closing.until))
    debts = month_end.debts(until=closing.until, known_at=closing.known_at)
    if request.GET.get("format") == "csv":
        return _file(request, f"month-end-{closing.month:%Y-%m}", _lines(months, expiring, debts))
    shown = months[-1]
    context = {
        **site.current().each_context(request),
        "title": gettext("Month end"),
        "closing": closing,
        "columns": [(column, words.COLUMNS[column], SIGNS[column]) for column in Column],
        "months": [_month_row(month) for month in reversed(months)],
        "shown": shown,
        "shown_value": shown.closing * cost,
        "cost": f"{cost.normalize():f}",
        "expiring": _expiring_rows(expiring, shown, cost),
        "debts": debts,
        "calendar": reading.months_back(closing.now, 36)[::-1],
        "may_export": request.user.has_perm(EXPORT),
        "may_set_cost": request.user.has_perm(SET_COST),
    }
    return TemplateResponse(request, "admin/campaigns/month_end.html", context)


def month_end_entries(
    request: HttpRequest, month: str, column: str
) -> HttpResponse | StreamingHttpResponse:
    """Show the entries behind one cell, a page at a time; `?format=csv` gives them all."""
    if not (request.user.has_perm(VIEW) and request.user.has_perm("rewards.view_entry")):
        raise PermissionDenied
    closing = _closing(request, month)
    try:
        chosen = Column(column)
    except ValueError as error:
        raise Http404 from error
    page = max(1, int(request.GET["page"])) if request.GET.get("page", "").isdecimal() else 1
    if request.GET.get("format") == "csv":
        rows = month_end.entries(chosen, closing.month, known_at=closing.known_at, limit=None)
        return _file(request, f"entries-{month}-{column}", _entry_lines(rows, chosen))
    rows = month_end.entries(
        chosen, closing.month, known_at=closing.known_at, limit=ENTRIES_SHOWN + 1,
        offset=(page - 1) * ENTRIES_SHOWN,
    )  # fmt: skip
    context = {
        **site.current().each_context(request),
        "title": f"{closing.month:%Y-%m} · {words.COLUMNS[chosen]}",
        "closing": closing,
        "rows": [_entry_row(row, chosen) for row in rows[:ENTRIES_SHOWN]],
        "page": page,
        "has_more": len(rows) > ENTRIES_SHOWN,
        "may_export": request.user.has_perm(EXPORT),
    }
    return TemplateResponse(request, "admin/campaigns/month_end_entries.html", context)


def unit_cost_page(request: HttpRequest) -> HttpResponse:
    """Set what a point is reckoned to cost from a day on."""
    if not request.user.has_perm(SET_COST):
        raise PermissionDenied
    form = UnitCostForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            unit_costs.set_unit_cost(**form.cleaned_data, actor=actor_of(request), at=clock.now())
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            messages.success(request, gettext("The cost of a point is set."))
            return redirect("admin:month_end")
    context = {
        **site.current().each_context(request),
        "title": gettext("Cost of one point"),
        "form": form,
        "note": gettext("Months that ended before the day keep the cost that they had."),
        "submit": gettext("Set"),
        "back": "admin:month_end",
    }
    return TemplateResponse(request, "admin/campaigns/form.html", context)


def _closing(request: HttpRequest, month: str = "") -> Closing:
    """Read what is asked for; the present month, known now, for anything that is none."""
    now = clock.now()
    this = clock.local_day(now).replace(day=1)
    asked = _day(f"{month or request.GET.get('month', '')}-01")
    known_on = _day(request.GET.get("known", ""))
    chosen = min(asked, this) if asked else this
    known_at = now if known_on is None else min(now, reading.day_end(known_on) - reading.INSTANT)
    return Closing(chosen, known_at, known_on, now)


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 9000 else None


def _month_row(month: Month) -> Mapping[str, Any]:
    return {
        "month": month.month,
        "opening": month.opening,
        "cells": [(column, month.columns[column]) for column in Column],
        "closing": month.closing,
        "debt": month.closing_debt,
        "late": month.late,
    }


def _expiring_rows(
    expiring: Sequence[month_end.Expiring], shown: Month, cost: Decimal
) -> list[tuple[str, int, Decimal]]:
    """Return outstanding points by when they end; together they are the closing."""
    rows = [
        (f"{each.month:%Y-%m}" if each.month else gettext("Never"), each.points)
        for each in expiring
    ]
    if shown.reserved:
        rows.append((gettext("Held for a purchase"), shown.reserved))
    return [(name, points, points * cost) for name, points in rows]


def _entry_row(row: Mapping[str, Any], column: Column) -> Mapping[str, Any]:
    return {
        **row,
        "reason": reward_words.reason(row["reason"]),
        "title": reward_words.movement(row["source"], row["target"]),
        "counted": columns_of(row["source"], row["target"])[column] * row["points"],
    }


def _file(
    request: HttpRequest, name: str, lines: Iterator[Sequence[object]]
) -> StreamingHttpResponse:
    if not request.user.has_perm(EXPORT):
        raise PermissionDenied
    return csv_files.answer(request, name, lines)


def _lines(
    months: Sequence[Month],
    expiring: Sequence[month_end.Expiring],
    debts: Sequence[month_end.Debt],
) -> Iterator[Sequence[object]]:
    yield ("month", "opening", *(str(column) for column in Column), "closing", "debt", "late",
           "unit_cost", "closing_value")  # fmt: skip
    now = clock.now()
    for month in months:
        cost = month_end.unit_cost(reading.last_day(min(now, _end_of(month))))
        yield (f"{month.month:%Y-%m}", month.opening, *(month.columns[each] for each in Column),
               month.closing, month.closing_debt, month.late, cost,
               month.closing * cost)  # fmt: skip
    cost = month_end.unit_cost(reading.last_day(min(now, _end_of(months[-1]))))
    yield ()
    yield ("expires_in", "points", "value")
    yield from _expiring_rows(expiring, months[-1], cost)
    yield ()
    yield ("debt_age_days", "points", "accounts")
    for debt in debts:
        yield (debt.age, debt.points, debt.accounts)


def _end_of(month: Month) -> datetime:
    return clock.day_start(clock.add_months(month.month, 1))


def _entry_lines(rows: Sequence[Mapping[str, Any]], column: Column) -> Iterator[Sequence[object]]:
    yield ("entry", "seq", "card", "occurred_at", "recorded_at", "from", "to", "reason", "counted")
    for row in rows:
        counted = columns_of(row["source"], row["target"])[column] * row["points"]
        yield (row["id"], row["seq"], row["card"], clock.rfc3339(row["occurred_at"]),
               clock.rfc3339(row["recorded_at"]), row["source"], row["target"], row["reason"],
               counted)  # fmt: skip
