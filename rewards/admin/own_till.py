"""Releasing points that somebody earned at their own till: one form that asks for the reason."""

from typing import Final

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
from config.base.admin import site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from config.base.panels import Visit
from members.admin.member import masked_name
from members.models import Case
from members.models.case import CaseState
from rewards.services import own_tills, releasing

PERMISSION: Final = "rewards.release_own_till"


class ReleaseForm(forms.Form):
    """Why the points may be had."""

    reason = forms.CharField(
        label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 3})
    )


def release_page(request: HttpRequest, case_id: int) -> HttpResponse:
    """Release the points of one order that are held.

    Source: STF-02.
    """
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    rows = Case.objects.filter(code=own_tills.CODE, member__isnull=False)
    case = get_object_or_404(rows.select_related("member__profile"), pk=case_id)
    form = ReleaseForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _done(request, case, form):
        return redirect("admin:members_member_change", case.member_id)
    note = gettext("Order %(order)s was rung up by the member. Its points are pending until then.")
    context = {
        **site.current().each_context(request),
        "title": gettext("Release points"),
        "member": case.member,
        "member_name": "" if case.member is None else masked_name(case.member),
        "form": form,
        "note": note % {"order": case.details.get("order_no", "")},
        "submit": gettext("Release"),
    }
    return TemplateResponse(request, "admin/console/form.html", context)


def release_address(visit: Visit) -> str:
    """Return where the oldest held order of the member is released; empty where there is none."""
    rows = Case.objects.filter(
        member_id=visit.subject.pk, code=own_tills.CODE, state=CaseState.OPEN
    )
    case = rows.order_by("id").values_list("pk", flat=True).first()
    return "" if case is None else reverse("admin:own_till_release", args=[case])


def _done(request: HttpRequest, case: Case, form: ReleaseForm) -> bool:
    try:
        releasing.release(
            case_id=case.pk,
            reason=form.cleaned_data["reason"],
            at=clock.now(),
            actor=actor_of(request),
        )
    except DomainError as error:
        form.add_error(None, str(error.message))
        return False
    messages.success(request, gettext("Released."))
    return True
