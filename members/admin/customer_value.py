"""The report of customer value: value × potential, stages and classes; and the form of its policy.

Source: SEG-08, SEG-12, SEG-13.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import cycle
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, Count, IntegerField, Sum, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.admin import charts, formats, site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from members import insight_words
from members.admin.insight import VIEW
from members.admin.reports import months_until
from members.customer_words import CustomerClass, LifecycleStage
from members.models import InsightPolicy, MemberInsight, StageDay
from members.services import insight_policy

MONTHS_SHOWN: Final = 12
MOVES_DAYS: Final = 30
FIELDS: Final = {"stage": "stage", "customer_class": "class"}
"""What segments call the columns."""
LEVELS: Final = (0, 1, 2)
"""Of a value: low, medium, high."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of the grid: how many members are in it, their list, and a segment of them."""

    members: int
    share: int
    address: str
    segment: str


@dataclass(frozen=True, slots=True)
class Part:
    """One stage or class: how many members are in it, their list, and a segment of them."""

    name: str
    colour: str
    members: int
    share: int
    spent: Decimal
    address: str
    segment: str


def customer_value_page(request: HttpRequest) -> HttpResponse:
    """Show how many members are worth what, where they stand, and how they move."""
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    policy, today = insight_policy.in_force(), clock.local_day(clock.now())
    days = StageDay.objects.filter(on__gte=months_until(today, MONTHS_SHOWN)[0]).order_by("on")
    history = list(days)
    stages = _parts("stage", LifecycleStage, insight_words.STAGE_COLOURS)
    context = {
        **site.current().each_context(request),
        "title": gettext("Customer value"),
        "total": sum(part.members for part in stages),
        "policy": policy,
        "grid": grid(policy),
        "stages": stages,
        "classes": _parts("customer_class", CustomerClass, insight_words.CLASS_COLOURS),
        "chart": _chart(history, today),
        "moves": _moves(history, today),
        "moves_days": MOVES_DAYS,
        "may_segment": request.user.has_perm("members.add_segment"),
        "may_change": request.user.has_perm(insight_policy.PERMISSION),
    }
    return TemplateResponse(request, "admin/members/customer_value.html", context)


def grid(policy: InsightPolicy) -> list[list[Cell]]:
    """Return the grid, by potential from high to low, then by current value from low to high.

    Source: SEG-12.
    """
    levels = {
        f"{name}_level": Case(
            When(**{f"{name}__gte": policy.grid_high}, then=Value(2)),
            When(**{f"{name}__gte": policy.grid_medium}, then=Value(1)),
            default=Value(0), output_field=IntegerField(),
        )
        for name in ("value_current", "value_potential")
    }  # fmt: skip
    rows = MemberInsight.objects.annotate(**levels).values_list(*levels).order_by()
    counted = {(c, p): n for c, p, n in rows.annotate(members=Count("pk"))}
    total = sum(counted.values())
    return [
        [
            _cell(counted.get((current, potential), 0), total, (current, potential), policy)
            for current in LEVELS
        ]
        for potential in reversed(LEVELS)
    ]


def _cell(members: int, total: int, place: tuple[int, int], policy: InsightPolicy) -> Cell:
    bounds = [
        (name, operator, value)
        for name, level in zip(("value_current", "value_potential"), place, strict=True)
        for operator, value in _range(level, policy)
    ]
    filters = {f"{name}__{operator}": value for name, operator, value in bounds}
    return Cell(members, formats.share(members, total), _list_of(**filters), _segment_of(*bounds))


def _range(level: int, policy: InsightPolicy) -> list[tuple[str, int]]:
    """Return the bounds of a level; the lowest and the highest have one."""
    least = (0, policy.grid_medium, policy.grid_high)[level]
    less_than = (policy.grid_medium, policy.grid_high, 0)[level]
    bounds = (("gte", least), ("lt", less_than))
    return [(operator, value) for operator, value in bounds if value]


def _list_of(**filters: object) -> str:
    return f"{reverse('admin:members_memberinsight_changelist')}?{urlencode(filters)}"


def _segment_of(*tests: tuple[str, str, object]) -> str:
    """Return the address of a new segment of these members."""
    conditions = {
        "all": [
            {"field": f"customer.{name}", "op": operator, "value": value}
            for name, operator, value in tests
        ]
    }
    return f"{reverse('admin:segment_add')}?{urlencode({'conditions': json.dumps(conditions)})}"


def _parts(
    column: str, words: type[LifecycleStage] | type[CustomerClass], colours: Mapping[str, str]
) -> list[Part]:
    rows = MemberInsight.objects.values_list(column).order_by()
    counted = {
        code: (members, spent)
        for code, members, spent in rows.annotate(members=Count("pk"), sum=Sum("spent"))
    }
    total = sum(members for members, _spent in counted.values())
    nothing = (0, Decimal(0))
    return [
        Part(
            str(word.label), colours[word.value], members, formats.share(members, total), spent,
            _list_of(**{f"{column}__exact": word.value}),
            _segment_of((FIELDS[column], "eq", word.value)),
        )
        for word in words
        for members, spent in [counted.get(word.value, nothing)]
    ]  # fmt: skip


def _chart(history: Sequence[StageDay], today: date) -> Mapping[str, str] | None:
    """Return the members of each stage at the end of each month; today in the last one."""
    if not history:
        return None
    months = months_until(today, MONTHS_SHOWN)
    ends = [min(clock.month_end(month), today) for month in months]
    by_stage: dict[str, list[StageDay]] = defaultdict(list)
    for row in history:
        by_stage[row.stage].append(row)
    return charts.bars(
        [f"{month:%Y-%m}" for month in months],
        [
            (str(word.label), [_known(by_stage[word.value], end) for end in ends], colour)
            for word, colour in zip(LifecycleStage, cycle(charts.PALETTE), strict=False)
        ],
        is_stacked=True,
    )


def _known(rows: Sequence[StageDay], end: date) -> int:
    """Return the last count up to a day: nobody has moved since."""
    return next((row.members for row in reversed(rows) if row.on <= end), 0)


def _moves(history: Sequence[StageDay], today: date) -> list[tuple[str, int, int, int]]:
    """Return how many entered and left each stage lately, and the difference."""
    since = today - timedelta(days=MOVES_DAYS - 1)
    entered, left = Counter[str](), Counter[str]()
    for row in history:
        if row.on >= since:
            entered[row.stage] += row.entered
            left[row.stage] += row.left
    return [
        (str(word.label), entered[word], left[word], entered[word] - left[word])
        for word in LifecycleStage
    ]


class InsightPolicyForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic when it runs
    """A further version; it begins with what the present one says."""

    reason = forms.CharField(
        label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 2})
    )

    class Meta:
        """All that a policy says."""

        model = InsightPolicy
        fields = insight_policy.TERMS

    def _post_clean(self) -> None:
        """Leave the stored version alone: what is posted becomes a version of its own."""


def policy_page(request: HttpRequest) -> HttpResponse:
    """Publish another policy; the next run looks at every member by it."""
    if not request.user.has_perm(insight_policy.PERMISSION):
        raise PermissionDenied
    policy = insight_policy.in_force()
    form = InsightPolicyForm(request.POST or None, instance=policy)
    if request.method == "POST" and form.is_valid() and _published(request, form):
        return redirect("admin:customer_value")
    context = {
        **site.current().each_context(request),
        "title": gettext("Policy of customer value"),
        "form": form,
        "policy": policy,
    }
    return TemplateResponse(request, "admin/members/insight_policy.html", context)


def _published(request: HttpRequest, form: InsightPolicyForm) -> bool:
    said: dict[str, Any] = {name: form.cleaned_data[name] for name in insight_policy.TERMS}
    try:
        insight_policy.publish(
            said=said, reason=form.cleaned_data["reason"], actor=actor_of(request),
            at=clock.now(),
        )  # fmt: skip
    except DomainError as error:
        for name in error.details.get("names", (None,)):
            form.add_error(name, str(error.message))
        return False
    messages.success(request, gettext("Published. Within minutes every member is looked at by it."))
    return True
