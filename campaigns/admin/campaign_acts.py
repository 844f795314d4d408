"""Take back what an act of a campaign gave; set the global hold-out."""

from collections.abc import Callable
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

from campaigns.admin.campaigns import RUN
from campaigns.admin.reason_form import ReasonForm
from campaigns.models import CampaignAct, GlobalHoldout
from campaigns.services import global_holdout, undoing
from config.base import clock
from config.base.admin import site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from config.base.names import name_of

HOLD_OUT: Final = "campaigns.change_globalholdout"


class HoldoutForm(ReasonForm):
    """Which share of the members no campaign addresses, and why."""

    percent = forms.DecimalField(
        label=_("Global hold-out (per cent)"), min_value=0, max_value=50, max_digits=4,
        decimal_places=1,
    )  # fmt: skip
    field_order = ("percent", "reason")


def undo_page(request: HttpRequest, act_id: int) -> HttpResponse:
    """Take back what an act gave."""
    _need(request, RUN)
    act = get_object_or_404(CampaignAct.objects.select_related("campaign"), pk=act_id)
    form = ReasonForm(request.POST or None)
    back = reverse("admin:campaign", args=[act.campaign_id])

    def work(**said: Any) -> None:
        undoing.undo(act_id=act.pk, **said)

    title = gettext("Take back what was given")
    return _form_page(request, form, work, title, name_of(act.campaign), back)


def holdout_page(request: HttpRequest) -> HttpResponse:
    """Set the global hold-out."""
    _need(request, HOLD_OUT)
    row = GlobalHoldout.objects.first()
    form = HoldoutForm(request.POST or None, initial={"percent": row.percent if row else 0})
    title = gettext("Global hold-out")
    back = reverse("admin:campaign_board")
    return _form_page(request, form, global_holdout.set_percent, title, "", back)


def _form_page(
    request: HttpRequest,
    form: forms.Form,
    work: Callable[..., object],
    title: str,
    subject: str,
    back: str,
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            work(actor=actor_of(request), at=clock.now(), **form.cleaned_data)
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            messages.success(request, gettext("Done."))
            return redirect(back)
    context = {
        **site.current().each_context(request),
        "title": title, "form": form, "subject": subject, "back": back,
    }  # fmt: skip
    return TemplateResponse(request, "admin/console/staff_form.html", context)


def _need(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied
