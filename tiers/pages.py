"""The page on which staff ask for a tier override."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
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
from config.base.names import in_active_language, name_of
from members.admin.member import masked_name
from members.models import Approval, Member
from members.models.staff import ApprovalState
from members.services.approvals import Change
from tiers import queries
from tiers.models import Tier
from tiers.services import standing

PERMISSION = "tiers.add_standingoverride"


class OverrideForm(forms.Form):
    """Which tier, until the end of which day, and why."""

    until_on = forms.DateField(
        label=_("Last day"), widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Afterwards the tier counts that the member has earned by then."),
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tiers = Tier.objects.order_by("-rank")
        self.fields["tier"] = forms.ChoiceField(
            label=_("Tier"), choices=[(tier.pk, name_of(tier)) for tier in tiers]
        )
        self.order_fields(["tier", "until_on", "reason"])


def override_page(request: HttpRequest, member_id: int) -> HttpResponse:
    """Ask for a tier override of one member; a second person decides it."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    member = get_object_or_404(Member.objects.select_related("profile"), pk=member_id)
    form = OverrideForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _asked(request, member, form):
        return redirect("admin:members_member_change", member.pk)
    context = {
        **site.current().each_context(request),
        "title": gettext("Tier override"),
        "member": member,
        "member_name": masked_name(member),
        "form": form,
        "note": gettext("It takes effect when a second person approves it."),
        "submit": gettext("Ask for approval"),
    }
    return TemplateResponse(request, "admin/console/form.html", context)


def _asked(request: HttpRequest, member: Member, form: OverrideForm) -> bool:
    last_day: date = form.cleaned_data["until_on"]
    terms = standing.OverrideTerms(
        member_id=member.pk,
        tier_id=int(form.cleaned_data["tier"]),
        until_at=clock.day_start(last_day + timedelta(days=1)),
        reason=form.cleaned_data["reason"],
    )
    try:
        standing.request_override(terms=terms, actor=actor_of(request), at=clock.now())
    except DomainError as error:
        form.add_error(None, str(error.message))
        return False
    messages.success(request, gettext("Sent for approval."))
    return True


def summarise(approval: Approval) -> str:
    """Return what a request for an override asks for, for people."""
    payload = approval.payload
    last = datetime.fromisoformat(payload["until_at"]) - timedelta(microseconds=1)
    return gettext("%(tier)s until %(until)s") % {
        "tier": in_active_language(zh=payload["name_zh"], en=payload["name_en"]),
        "until": clock.local_day(last).isoformat(),
    }


def effects(approval: Approval) -> Sequence[Change]:
    """Return which tier would count instead of which one."""
    member = approval.member_id
    if member is None or approval.state != ApprovalState.REQUESTED:
        return ()
    current = queries.current_tiers([member], at=clock.now()).get(member)
    payload = approval.payload
    after = in_active_language(zh=payload["name_zh"], en=payload["name_en"])
    return [Change(gettext("Tier"), name_of(current.tier) if current else "–", after)]
