"""The desk: the queue of cases, taking the next one, and taking down a new one."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.admin import site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from config.base.panels import Visit
from members.admin.case_page import VIEW, WORK
from members.admin.case_rows import rows_of
from members.admin.member import masked_name
from members.models import Case, CaseKind, Channel, Member
from members.services import cases
from members.services.cases import MAX_TEXT, MAX_TITLE, NewCase

SHOWN: Final = 100
QUEUES: Final = {
    "mine": _("Mine"),
    "unassigned": _("Unassigned"),
    "breached": _("Late"),
    "waiting": _("Waiting for the member"),
    "all": _("All open"),
}
KINDS: Final = (CaseKind.ENQUIRY, CaseKind.COMPLAINT, CaseKind.SUGGESTION)
"""What anybody may take down; a bespoke service is asked for where the benefit stands."""


def desk_page(request: HttpRequest) -> HttpResponse:
    """Show a queue, the most pressing first, or take the next case. Source: SVC-02, BEN-05."""
    if not request.user.has_perm(VIEW):
        raise PermissionDenied
    if request.method == "POST":
        return _taken(request)
    chosen = request.GET.get("queue", "mine")
    chosen = chosen if chosen in QUEUES else "mine"
    filters = _filters(request)
    counted = Case.objects.undone().aggregate(
        **{name: Count("pk", filter=within) for name, within in filters.items()}
    )
    rows = _found(filters[chosen]).select_related("member__profile", "owner")
    context = {
        **site.current().each_context(request),
        "title": gettext("Case desk"),
        "queues": [(name, label, counted[name]) for name, label in QUEUES.items()],
        "chosen": chosen,
        "rows": rows_of(rows[:SHOWN], clock.now()),
        "more": max(0, counted[chosen] - SHOWN),
        "may_work": request.user.has_perm(WORK),
        "has_next": counted["unassigned"] > 0,
    }
    return TemplateResponse(request, "admin/members/case_desk.html", context)


def _filters(request: HttpRequest) -> dict[str, Q]:
    late = Q(pk__in=Case.objects.breached(clock.now()).values("pk"))
    return {
        "mine": Q(owner_id=request.user.pk),
        "unassigned": Q(owner=None),
        "breached": late,
        "waiting": Q(state="waiting_member"),
        "all": Q(),
    }


def _found(within: Q) -> QuerySet[Case]:
    return Case.objects.undone().filter(within).in_queue_order()


def _taken(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm(WORK):
        raise PermissionDenied
    case = cases.take_next(owner_id=request.user.pk or 0, at=clock.now(), actor=actor_of(request))
    if case is None:
        messages.info(request, gettext("No case is waiting."))
        return redirect("admin:case_desk")
    return redirect("admin:members_case_change", case.pk)


class RegisterForm(forms.Form):
    """What a member comes with."""

    kind = forms.ChoiceField(label=_("Kind"), choices=[(kind.value, kind.label) for kind in KINDS])
    channel = forms.ChoiceField(label=_("Channel"), choices=Channel.choices)
    title = forms.CharField(label=_("In one line"), max_length=MAX_TITLE)
    text = forms.CharField(
        label=_("What the member said"), required=False, max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 5}),
    )  # fmt: skip
    reference = forms.CharField(
        label=_("Order or redemption number"), required=False, max_length=100
    )
    is_mine = forms.BooleanField(label=_("I work on it myself"), required=False)


def register_page(request: HttpRequest, member_id: int) -> HttpResponse:
    """Take down an enquiry, a complaint or a suggestion. Source: SVC-02, SVC-10."""
    if not request.user.has_perm(WORK):
        raise PermissionDenied
    member = get_object_or_404(Member.objects.select_related("profile"), pk=member_id)
    form = RegisterForm(request.POST or None, initial={"channel": Channel.CS})
    if request.method == "POST" and form.is_valid():
        case = registered(request, member, form)
        if case is not None:
            return redirect("admin:members_case_change", case.pk)
    context = {
        **site.current().each_context(request),
        "title": gettext("New case"),
        "member": member,
        "member_name": masked_name(member),
        "form": form,
        "note": gettext("Priority and clocks follow from the member's tier."),
        "submit": gettext("Open case"),
    }
    return TemplateResponse(request, "admin/console/form.html", context)


def registered(request: HttpRequest, member: Member, form: forms.Form) -> Case | None:
    """Open the case that a form describes; None where it was refused, the form saying why."""
    values: dict[str, Any] = form.cleaned_data
    new = NewCase(
        member_id=member.pk, kind=values["kind"], channel=values["channel"],
        title=values["title"], text=values["text"], reference=values["reference"],
    )  # fmt: skip
    owner = request.user.pk if values["is_mine"] else None
    try:
        case = cases.register(new=new, at=clock.now(), actor=actor_of(request), owner_id=owner)
    except DomainError as refused:
        form.add_error(None, str(refused.message))
        return None
    messages.success(request, gettext("Case #%(number)d is open.") % {"number": case.pk})
    return case


def register_address(visit: Visit) -> str:
    """Return where a case of the member is taken down."""
    return reverse("admin:case_register", args=[visit.subject.pk])
