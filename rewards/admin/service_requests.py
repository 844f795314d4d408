"""Asking for a bespoke service on a member's behalf."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.admin import site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from members.admin.case_page import ASSIGN, WORK
from members.admin.member import masked_name
from members.models import Case, CaseKind, Channel, Member
from members.services.cases import MAX_TEXT, MAX_TITLE, NewCase
from rewards.services import service_requests


class RequestForm(forms.Form):
    """What the member would like to have done."""

    channel = forms.ChoiceField(label=_("Channel"), choices=Channel.choices, initial=Channel.CS)
    title = forms.CharField(label=_("In one line"), max_length=MAX_TITLE)
    text = forms.CharField(
        label=_("What the member would like"), required=False, max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 5}),
    )  # fmt: skip
    is_mine = forms.BooleanField(label=_("I work on it myself"), required=False)
    is_favour = forms.BooleanField(
        label=_("As a favour"), required=False,
        help_text=_("For a member without the benefit; counts as no use of it."),
    )  # fmt: skip

    def __init__(self, *args: Any, may_favour: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_favour:
            del self.fields["is_favour"]


def request_page(request: HttpRequest, member_id: int) -> HttpResponse:
    """Ask for a bespoke service; as a favour only for those who assign cases. Source: BEN-10."""
    if not request.user.has_perm(WORK):
        raise PermissionDenied
    member = get_object_or_404(Member.objects.select_related("profile"), pk=member_id)
    form = RequestForm(request.POST or None, may_favour=request.user.has_perm(ASSIGN))
    if request.method == "POST" and form.is_valid():
        case = _requested(request, member, form)
        if case is not None:
            return redirect("admin:members_case_change", case.pk)
    context = {
        **site.current().each_context(request),
        "title": gettext("Bespoke service"),
        "member": member,
        "member_name": masked_name(member),
        "form": form,
        "note": gettext("It counts as a use of the member's benefit."),
        "submit": gettext("Open case"),
    }
    return TemplateResponse(request, "admin/console/form.html", context)


def _requested(request: HttpRequest, member: Member, form: RequestForm) -> Case | None:
    values = form.cleaned_data
    new = NewCase(
        member_id=member.pk, kind=CaseKind.SERVICE_REQUEST, channel=values["channel"],
        title=values["title"], text=values["text"],
    )  # fmt: skip
    try:
        case = service_requests.request_service(
            new=new, at=clock.now(), actor=actor_of(request),
            owner_id=request.user.pk if values["is_mine"] else None,
            is_favour=values.get("is_favour", False),
        )  # fmt: skip
    except DomainError as refused:
        form.add_error(None, str(refused.message))
        return None
    messages.success(request, gettext("Case #%(number)d is open.") % {"number": case.pk})
    return case
