"""The page of festivals with their calendar, and the form in which they are kept.

Source: ENG-11.
"""

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Any, Final

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.domain import festivals as domain
from campaigns.domain import lunar
from campaigns.domain.festivals import Rule, RuleKind
from campaigns.models import Festival
from campaigns.services import festivals
from campaigns.services.festivals import FestivalTerms
from config.base import clock
from config.base.admin import site
from config.base.errors import DomainError

VIEW, ADD, CHANGE = (f"campaigns.{act}_festival" for act in ("view", "add", "change"))
MONTHS: Final = 18
LONGEST: Final = 400

RULES: Final = {
    RuleKind.SOLAR: _("day of the solar calendar"),
    RuleKind.LUNAR: _("day of the lunar calendar"),
    RuleKind.TERM: _("solar term"),
    RuleKind.DATES: _("single days"),
}
_TERMS: Final = {"qingming": _("Qingming"), "dongzhi": _("Winter Solstice")}


class FestivalForm(forms.Form):
    """What a festival is called and when it is; its service decides whether that is a day."""

    code = forms.SlugField(label=_("Code"), max_length=40)
    name_zh = forms.CharField(label=_("Chinese name"), max_length=40)
    name_en = forms.CharField(label=_("English name"), max_length=60, required=False)
    kind = forms.ChoiceField(label=_("Found by"), choices=list(RULES.items()))
    month = forms.IntegerField(label=_("Month"), min_value=1, max_value=12, required=False)
    day = forms.IntegerField(
        label=_("Day"), min_value=-1, max_value=31, required=False,
        help_text=_("-1 is the last day of a lunar month. Leap months are passed over."),
    )  # fmt: skip
    term = forms.ChoiceField(
        label=_("Solar term"), choices=[("", ""), *_TERMS.items()], required=False
    )
    dates = forms.CharField(
        label=_("Single days"), max_length=LONGEST, required=False,
        help_text=_("As 2027-03-08, parted by commas."),
    )  # fmt: skip
    is_enabled = forms.BooleanField(label=_("Used by campaigns"), required=False, initial=True)

    def terms(self) -> FestivalTerms:
        """Return what was filled in."""
        values = self.cleaned_data
        kind = RuleKind(values["kind"])
        rule: dict[str, Any] = {"kind": kind.value}
        if kind is RuleKind.TERM:
            rule["term"] = values["term"]
        elif kind is RuleKind.DATES:
            parts = values["dates"].replace("，", ",").split(",")
            rule["dates"] = [part.strip() for part in parts if part.strip()]
        else:
            rule |= {"month": values["month"], "day": values["day"]}
        return FestivalTerms(values["name_zh"], values["name_en"], rule, values["is_enabled"])


def festivals_page(request: HttpRequest) -> HttpResponse:
    """Show the festivals, and on which days of the next months they are."""
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    today = clock.local_day(clock.now())
    days = festivals.calendar(first=today, last=clock.add_months(today, MONTHS))
    context = {
        **site.current().each_context(request),
        "title": gettext("Festivals"),
        "months": [
            (month, list(found)) for month, found in groupby(days, lambda d: d[0].replace(day=1))
        ],
        "festivals": _by_next_day(days),
        "may_add": request.user.has_perm(ADD),
        "may_change": request.user.has_perm(CHANGE),
    }
    return TemplateResponse(request, "admin/campaigns/festivals.html", context)


def _by_next_day(
    days: Sequence[tuple[date, Festival]],
) -> list[tuple[Festival, str, date | None]]:
    """Return the festivals with when they are and their next day, the nearest first."""
    following: dict[int, date] = {}
    for day, festival in days:
        following.setdefault(festival.pk, day)
    rows = [
        (row, _said(domain.parse(row.rule)), following.get(row.pk))
        for row in Festival.objects.order_by("code")
    ]
    return sorted(rows, key=lambda row: row[2] or date.max)


def _said(rule: Rule) -> str:
    if rule.kind is RuleKind.TERM:
        return str(_TERMS[rule.term])
    if rule.kind is RuleKind.DATES:
        return ", ".join(day.isoformat() for day in rule.dates)
    if rule.day == lunar.LAST_DAY_OF_YEAR:
        return gettext("last day of lunar month %(month)d") % {"month": rule.month}
    said = {"month": rule.month, "day": rule.day}
    if rule.kind is RuleKind.LUNAR:
        return gettext("lunar month %(month)d, day %(day)d") % said
    return gettext("month %(month)d, day %(day)d") % said


def festival_page(request: HttpRequest, festival_id: int | None = None) -> HttpResponse:
    """Add a festival, or change one."""
    if not request.user.has_perm(ADD if festival_id is None else CHANGE):
        raise PermissionDenied
    festival = None if festival_id is None else get_object_or_404(Festival, pk=festival_id)
    form = FestivalForm(request.POST or None, initial=_initial(festival))
    if festival is not None:
        form.fields["code"].disabled = True
    if request.method == "POST" and form.is_valid() and _is_kept(form, festival):
        return redirect("admin:festivals")
    context = {
        **site.current().each_context(request),
        "title": gettext("Add a festival") if festival is None else str(festival),
        "form": form,
        "submit": gettext("Save"),
        "back": "admin:festivals",
    }
    return TemplateResponse(request, "admin/campaigns/form.html", context)


def _initial(festival: Festival | None) -> dict[str, Any]:
    if festival is None:
        return {}
    rule = dict(festival.rule)
    if "dates" in rule:
        rule["dates"] = ", ".join(rule["dates"])
    return {
        **rule, "code": festival.code, "name_zh": festival.name_zh, "name_en": festival.name_en,
        "is_enabled": festival.is_enabled,
    }  # fmt: skip


def _is_kept(form: FestivalForm, festival: Festival | None) -> bool:
    try:
        if festival is None:
            festivals.create(code=form.cleaned_data["code"], terms=form.terms())
        else:
            festivals.change(festival_id=festival.pk, terms=form.terms())
    except DomainError as error:
        field = error.details.get("field", "code")
        form.add_error(field if field in form.fields else None, str(error.message))
        return False
    return True
