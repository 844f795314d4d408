"""The page on which requests of a member about their own data are answered."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.admin import acting, site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from config.base.panels import Visit
from members import words
from members.admin.member import masked_name
from members.models import DataRequest, DataRequestKind, DataRequestState, Member, MemberStatus
from members.services import data_requests
from rewards.services import erasing, own_data

PERMISSION: Final = "members.handle_datarequest"
COLOURS: Final = {"open": "warning", "done": "success", "withdrawn": "info", "refused": "danger"}


class DataRequestForm(forms.Form):
    """What the member asks for, and how they were recognised."""

    kind = forms.ChoiceField(label=_("What the member wants"), choices=DataRequestKind.choices)
    verified_by = forms.ChoiceField(
        label=_("Identity checked by"),
        choices=[(code, words.CALLER_CHECKS[code]) for code in data_requests.VERIFICATIONS],
    )


def data_requests_page(request: HttpRequest, member_id: int) -> HttpResponse:
    """Show the requests of a member with their clocks, register one, and answer them.

    Source: MEM-12.
    """
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    member = get_object_or_404(Member.objects.select_related("profile"), pk=member_id)
    form = DataRequestForm(request.POST if "kind" in request.POST else None)
    if request.method == "POST":
        answer = _answer(request, member, form)
        if answer is not None:
            return answer
    at = clock.now()
    context = {
        **site.current().each_context(request),
        "title": gettext("Personal data"),
        "member": member,
        "member_name": masked_name(member),
        "form": form,
        "rows": [_row(each, at) for each in member.data_requests.order_by("-pk")],
        "consequences": erasing.consequences(member=member, at=at),
        "is_erased": member.status == MemberStatus.ERASED,
    }
    return TemplateResponse(request, "admin/rewards/data_requests.html", context)


def _row(row: DataRequest, at: Any) -> dict[str, Any]:
    return {
        "request": row,
        "colour": COLOURS[row.state],
        "days_left": (row.due_on - clock.local_day(at)).days,
        "way": words.caller_check(row.verified_by),
    }


def _answer(request: HttpRequest, member: Member, form: DataRequestForm) -> HttpResponse | None:
    """Do what was pressed; None shows the page again."""
    actor, at = actor_of(request), clock.now()
    try:
        if "kind" in request.POST:
            if not form.is_valid():
                return None
            data_requests.register(member=member, actor=actor, at=at, **form.cleaned_data)
            messages.success(request, gettext("Registered; the clock runs."))
            return redirect("admin:data_requests", member.pk)
        return _carry_out(request, member, actor, at)
    except DomainError as error:
        messages.error(request, str(error.message))
        return redirect("admin:data_requests", member.pk)


def _carry_out(request: HttpRequest, member: Member, actor: str, at: Any) -> HttpResponse:
    row = get_object_or_404(DataRequest, pk=request.POST.get("request") or 0, member=member)
    match request.POST.get("step"):
        case "copy":
            data_requests.copied(request_id=row.pk, actor=actor, at=at)
            acting.record(request, "export", reason="data_request", member_id=member.pk, rows=1)
            return _file(member, at)
        case "erase":
            erasing.ask(request=row, actor=actor, at=at)
            messages.success(request, gettext("Sent for approval."))
        case "withdraw":
            state = DataRequestState.WITHDRAWN
            data_requests.close(request_id=row.pk, state=state, actor=actor, at=at)
            messages.success(request, gettext("Withdrawn."))
    return redirect("admin:data_requests", member.pk)


def _file(member: Member, at: Any) -> HttpResponse:
    content = own_data.as_json(own_data.gather(member=member, at=at))
    answer = HttpResponse(content, content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="member-{member.public_id}.json"'
    answer["Cache-Control"] = "no-store"
    return answer


def data_requests_address(visit: Visit) -> str:
    """Return where a member's requests about their data are answered."""
    return reverse("admin:data_requests", args=[visit.subject.pk])
