"""The pages of segments: which there are, one of them, how it is written, and why who is in it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import orjson
from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.validators import validate_slug
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.admin.reason_form import ReasonForm
from campaigns.admin.segment_choices import SegmentChoices
from config.base import clock
from config.base.admin import charts, site
from config.base.admin.actors import actor_of
from config.base.admin.condition_form import ConditionForm
from config.base.conditions import ConditionError, LeafResult
from config.base.errors import DomainError
from config.base.names import name_of
from config.base.panels import Visit
from members.admin.base import member_link
from members.domain import segments as rules
from members.models import Member, Segment, SegmentDay, SegmentKind, SegmentMembership
from members.services import segments
from members.services.segment_reading import SCOPES, parse
from members.services.segments import Content, Explanation

VIEW, ADD, CHANGE = "members.view_segment", "members.add_segment", "members.change_segment"
SEE_MEMBERS: Final = "members.view_segmentmembership"
SAMPLE: Final = 8
DAYS_SHOWN: Final = 90
SPARK_DAYS: Final = 30
REDRAWS: Final = ("refresh", "add-row", "remove-row", "add-group")


class SegmentForm(forms.Form):
    """What a segment is called and when its size is worth a look."""

    name_zh = forms.CharField(label=_("Chinese name"), max_length=80)
    name_en = forms.CharField(label=_("English name"), max_length=80, required=False)
    code = forms.CharField(
        label=_("Code"), max_length=60, validators=[validate_slug],
        help_text=_("Rules and campaigns name the segment by it; it stays."),
    )  # fmt: skip
    description = forms.CharField(
        label=_("Description"), max_length=300, required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip
    alert_percent = forms.IntegerField(
        label=_("Alert when the size moves in a day by more than (per cent)"), min_value=1,
        max_value=1000, required=False, help_text=_("Empty: no alert."),
    )  # fmt: skip
    is_frozen = forms.BooleanField(
        label=_("Keep the members as they are counted now"), required=False
    )

    def content(self, conditions: Mapping[str, Any]) -> Content:
        """Return what was filled in."""
        said = self.cleaned_data
        return Content(
            said["name_zh"], said["name_en"], said["description"], conditions,
            said["alert_percent"],
        )  # fmt: skip


def segments_page(request: HttpRequest) -> HttpResponse:
    """Show all segments: how large, where they go, which have moved too far.

    Source: SEG-18.
    """
    _need(request, VIEW)
    at = clock.now()
    since = clock.local_day(at) - timedelta(days=SPARK_DAYS)
    sizes: dict[int, list[int]] = {}
    for segment, size in (
        SegmentDay.objects.filter(on__gte=since).order_by("on").values_list("segment_id", "size")
    ):
        sizes.setdefault(segment, []).append(size)
    broken = segments.broken()
    shown = [
        {**_row(segment, sizes.get(segment.pk, [])), "problem": broken.get(segment.pk, "")}
        for segment in Segment.objects.all()
    ]
    standing = [row for row in shown if row["segment"].retired_at is None]
    own = [row for row in standing if row["segment"].kind != SegmentKind.CAMPAIGN]
    context = {
        **site.current().each_context(request),
        "title": gettext("Segments"),
        "rows": own,
        "of_campaigns": [row for row in standing if row not in own],
        "retired": [row for row in shown if row["segment"].retired_at is not None],
        "may_add": request.user.has_perm(ADD),
    }
    return TemplateResponse(request, "admin/campaigns/segments.html", context)


def segment_page(request: HttpRequest, segment_id: int) -> HttpResponse:
    """Show one segment: its conditions, its size by day, and some of its members.

    Source: SEG-18, SEG-20.
    """
    _need(request, VIEW)
    segment = get_object_or_404(Segment, pk=segment_id)
    choices, at = SegmentChoices(), clock.now()
    days = list(segment.days.all()[:DAYS_SHOWN])[::-1]
    is_own = segment.kind != SegmentKind.CAMPAIGN and segment.retired_at is None
    may_see = request.user.has_perm(SEE_MEMBERS)
    context = {
        **site.current().each_context(request),
        "title": name_of(segment),
        **_row(segment, [day.size for day in days]),
        **_conditions(segment, choices),
        "sizes": _size_chart(days) if len(days) > 1 else None,
        "moves": _moves_chart(days) if len(days) > 1 else None,
        "sample": _inside(segment, choices, at) if may_see else None,
        "may_change": is_own and request.user.has_perm(CHANGE),
    }
    return TemplateResponse(request, "admin/campaigns/segment.html", context)


def segment_form_page(request: HttpRequest, segment_id: int | None = None) -> HttpResponse:
    """Write a segment, with who would be in it while it is written.

    Source: SEG-05, SEG-20.
    """
    _need(request, ADD if segment_id is None else CHANGE)
    segment = None if segment_id is None else get_object_or_404(Segment, pk=segment_id)
    data = request.POST if request.method == "POST" else None
    choices = SegmentChoices(segment.code if segment else "")
    stored = segment.conditions if segment else _proposed(request)
    rows = ConditionForm("c", choices.asked(), SCOPES, stored=stored, data=data)
    do = (data.get("do") if data else None) or ""
    if do == "preview":
        return TemplateResponse(
            request, "admin/campaigns/segment_preview.html", _preview(request, rows, choices)
        )
    is_redraw = do.partition(":")[0] in REDRAWS
    form = SegmentForm(None if is_redraw else data, initial=_initial(segment, data))
    if segment is not None:
        form.fields["code"].required = False
    if do == "save" and (saved := _saved(request, form, rows, segment)) is not None:
        return redirect("admin:segment", saved.pk)
    context = {
        **site.current().each_context(request),
        "title": gettext("Change the segment") if segment else gettext("New segment"),
        "form": form,
        "rows": rows,
        "segment": segment,
        "is_fixed": segment is not None and segment.kind != SegmentKind.DYNAMIC,
        "preview": _preview(request, rows, choices),
    }
    return TemplateResponse(request, "admin/campaigns/segment_form.html", context)


def _proposed(request: HttpRequest) -> Mapping[str, Any] | None:
    """Return the conditions that another page proposes in the address; None where it does not."""
    try:
        proposed: Mapping[str, Any] = orjson.loads(request.GET.get("conditions", ""))
        parse(proposed)
    except (orjson.JSONDecodeError, ConditionError):
        return None
    return proposed


def retire_page(request: HttpRequest, segment_id: int) -> HttpResponse:
    """Retire a segment: everybody leaves it."""
    _need(request, CHANGE)
    segment = get_object_or_404(Segment, pk=segment_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        at = clock.now()
        try:
            segments.retire(segment_id=segment.pk, at=at, recorded_at=at)
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            messages.success(request, gettext("The segment is retired."))
            return redirect("admin:segments")
    context = {
        **site.current().each_context(request),
        "title": gettext("Retire the segment"),
        "note": gettext("Everybody leaves it; rules and campaigns that ask for it find nobody."),
        "form": form,
        "submit": gettext("Retire"),
        "back": "admin:segments",
    }
    return TemplateResponse(request, "admin/campaigns/form.html", context)


def why_page(request: HttpRequest, segment_id: int, member_id: int) -> HttpResponse:
    """Show why a member is in a segment, test by test.

    Source: SEG-20.
    """
    _need(request, SEE_MEMBERS)
    segment = get_object_or_404(Segment, pk=segment_id)
    member = get_object_or_404(Member, pk=member_id)
    at, choices = clock.now(), SegmentChoices()
    said, problem = None, segments.problem(segment)
    if segment.conditions and not problem:
        said = segments.explain(member_id=member.pk, conditions=segment.conditions, at=at)
    context = {
        **site.current().each_context(request),
        "title": name_of(segment),
        "segment": segment,
        "member": member_link(member.pk, member.card_number),
        "said": said,
        "problem": problem,
        "tests": _tests(said, choices) if said else [],
        "history": SegmentMembership.objects.filter(segment=segment, member=member).order_by(
            "-from_at"
        )[:SAMPLE],
    }
    return TemplateResponse(request, "admin/campaigns/segment_why.html", context)


def member_panel(visit: Visit) -> Mapping[str, Any] | None:
    """Show in which segments the member is, and since when; nothing where in none."""
    rows = SegmentMembership.objects.filter(member=visit.subject, to_at=None)
    found = list(rows.select_related("segment").order_by("segment__code"))
    return {"memberships": found, "member_id": visit.subject.pk} if found else None


def event_details(visit: Visit, payload: Mapping[str, Any]) -> Sequence[str]:
    """Say of an event which segment it is about."""
    names = visit.once("segment_names", _names)
    code = str(payload.get("segment", ""))
    return [names.get(code, code)]


def _names() -> dict[str, str]:
    return {segment.code: name_of(segment) for segment in Segment.objects.all()}


def drifting(_visit: Visit) -> int:
    """Count the segments whose size has moved too far."""
    return len(segments.drifting())


def broken(_visit: Visit) -> int:
    """Count the segments whose conditions mean nothing any more."""
    return len(segments.broken())


def _conditions(segment: Segment, choices: SegmentChoices) -> dict[str, str]:
    """Say what a segment asks; where that means nothing any more, why, and what is stored."""
    if not segment.conditions:
        return {"sentence": ""}
    if problem := segments.problem(segment):
        stored = orjson.dumps(segment.conditions, option=orjson.OPT_INDENT_2).decode()
        return {"problem": problem, "stored": stored}
    return {"sentence": choices.sentence(segment.conditions)}


def _need(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _row(segment: Segment, sizes: Sequence[int]) -> dict[str, Any]:
    """Return a segment with where its size goes; `moved` since the count before, in per cent."""
    moved = rules.moved_percent(sizes[-2], sizes[-1]) if len(sizes) > 1 else 0
    is_drifting = len(sizes) > 1 and rules.is_drifting(
        sizes[-2], sizes[-1], segment.alert_percent
    )  # fmt: skip
    return {
        "segment": segment,
        "spark": charts.sparkline(sizes),
        "change": sizes[-1] - sizes[-2] if len(sizes) > 1 else 0,
        "moved": moved,
        "is_drifting": is_drifting,
    }


def _initial(segment: Segment | None, data: Mapping[str, Any] | None) -> dict[str, Any]:
    if data is not None:
        return {name: data.get(name) for name in SegmentForm.base_fields}
    names = ("code", "name_zh", "name_en", "description", "alert_percent")
    return {name: getattr(segment, name) for name in names} if segment else {}


def _saved(
    request: HttpRequest, form: SegmentForm, rows: ConditionForm, segment: Segment | None
) -> Segment | None:
    conditions = rows.cleaned()
    if conditions is None:
        form.add_error(None, gettext("Say at least one condition."))
    if not form.is_valid() or rows.errors or conditions is None:
        return None
    content, at = form.content(conditions), clock.now()
    try:
        if segment is not None:
            saved = segments.change(segment_id=segment.pk, content=content, at=at)
        else:
            saved = segments.create(
                code=form.cleaned_data["code"], content=content, at=at, actor=actor_of(request),
                is_frozen=form.cleaned_data["is_frozen"],
            )  # fmt: skip
    except DomainError as error:
        form.add_error(None, str(error.message))
        return None
    messages.success(request, gettext("The segment is saved and counted."))
    return saved


def _preview(request: HttpRequest, rows: ConditionForm, choices: SegmentChoices) -> dict[str, Any]:
    """Count who meets what stands in the form, and show some of them with why."""
    conditions = rows.cleaned()
    if conditions is None or rows.errors:
        return {"is_unfinished": True}
    at = clock.now()
    try:
        size = segments.count(conditions, at=at)
    except DomainError as error:
        return {"error": str(error.message)}
    found: dict[str, Any] = {"count": size, "sentence": choices.sentence(conditions)}
    if request.user.has_perm(SEE_MEMBERS):
        ids = segments.matching(conditions, at=at, limit=SAMPLE)
        said = segments.explain_many(ids, conditions, at=at)
        found["sample"] = _people(ids, said, choices)
    return found


def _inside(segment: Segment, choices: SegmentChoices, at: Any) -> list[dict[str, Any]]:
    rows = SegmentMembership.objects.filter(segment=segment, to_at=None).order_by("member_id")
    ids = list(rows.values_list("member_id", flat=True)[:SAMPLE])
    conditions = None if segments.problem(segment) else segment.conditions
    said = segments.explain_many(ids, conditions, at=at) if ids and conditions else {}
    return _people(ids, said, choices)


def _people(
    ids: Sequence[int], said: Mapping[int, Explanation], choices: SegmentChoices
) -> list[dict[str, Any]]:
    people = Member.objects.select_related("profile").in_bulk(ids)
    return [
        {
            "link": member_link(person.pk, person.card_number),
            "name": getattr(getattr(person, "profile", None), "name_mask", ""),
            "why": _tests(said[person.pk], choices) if person.pk in said else [],
        }
        for person in people.values()
    ]


def _tests(said: Explanation, choices: SegmentChoices) -> list[dict[str, Any]]:
    return [_test(each, choices) for each in said.leaves]


def _test(result: LeafResult, choices: SegmentChoices) -> dict[str, Any]:
    shown = result.to_json()
    return {
        "asked": choices.sentence(
            {"not": dict(result.leaf.shown)} if result.negated else result.leaf.shown
        ),
        "label": result.leaf.field.label,
        "found": choices.value(result.leaf.field, shown["actual"]),
        "met": result.matched is not result.negated,
    }


def _size_chart(days: Sequence[SegmentDay]) -> Mapping[str, str]:
    labels = [day.on.isoformat() for day in days]
    return charts.lines(
        labels, [(gettext("Members"), [day.size for day in days], charts.PALETTE[0])]
    )


def _moves_chart(days: Sequence[SegmentDay]) -> Mapping[str, str]:
    labels = [day.on.isoformat() for day in days]
    return charts.bars(
        labels,
        [
            (gettext("Entered"), [day.entries for day in days], charts.PALETTE[0]),
            (gettext("Left"), [-day.exits for day in days], charts.PALETTE[2]),
        ],
        is_stacked=True,
    )
