"""Points given or taken by staff: at once within their limit, else by a second person."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.admin import formats, site
from config.base.admin.actors import actor_of
from config.base.admin.reauth import fresh_login_required
from config.base.errors import DomainError
from members.admin.member import masked_name
from members.models import Approval, Member
from members.models.staff import ApprovalState
from members.services import authority
from members.services.approvals import Change
from rewards.models import PointsAccount
from rewards.services.adjustment import (
    USER,
    AdjustmentError,
    adjust,
    adjust_by_staff,
    used_today,
)

PERMISSION: Final = "rewards.add_entry"
LARGEST: Final = 1_000_000_000


class AdjustmentForm(forms.Form):
    """How many points, and why."""

    points = forms.IntegerField(
        label=_("Points"), min_value=-LARGEST, max_value=LARGEST,
        help_text=_("Positive gives points, negative takes available ones."),
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 3})
    )

    def clean_points(self) -> int:
        """Refuse an adjustment that moves nothing."""
        points: int = self.cleaned_data["points"]
        if not points:
            raise forms.ValidationError(_("An adjustment moves at least one point."))
        return points


@fresh_login_required
def adjustment_page(request: HttpRequest, member_id: int) -> HttpResponse:
    """Adjust one member's points, or ask a second person to agree.

    Source: PTS-15.
    """
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    member = get_object_or_404(Member.objects.select_related("profile"), pk=member_id)
    limits = authority.limits_of(request.user.pk or 0)
    form = AdjustmentForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _done(request, member, form):
        return redirect("admin:members_member_change", member.pk)
    note = gettext(
        "Alone you may adjust up to %(call)s points at a time, %(day)s a day (%(used)s used) and "
        "%(month)s per member and month; more takes a second person."
    ) % {
        "call": formats.points(limits.call),
        "day": formats.points(limits.day),
        "used": formats.points(used_today(request.user.pk or 0, clock.now())),
        "month": formats.points(limits.member_month),
    }
    context = {
        **site.current().each_context(request),
        "title": gettext("Adjust points"),
        "member": member,
        "member_name": masked_name(member),
        "form": form,
        "note": note,
        "submit": gettext("Adjust"),
    }
    return TemplateResponse(request, "admin/console/form.html", context)


def _done(request: HttpRequest, member: Member, form: AdjustmentForm) -> bool:
    try:
        outcome = adjust_by_staff(
            user_id=request.user.pk or 0,
            member=member.pk,
            points=form.cleaned_data["points"],
            reason=form.cleaned_data["reason"],
            at=clock.now(),
            actor=actor_of(request),
        )
    except DomainError as error:
        form.add_error(None, str(error.message))
        return False
    is_asked = isinstance(outcome, Approval)
    messages.success(request, gettext("Sent for approval.") if is_asked else gettext("Adjusted."))
    return True


def execute_approved(approval: Approval, at: datetime) -> None:
    """Carry out an approved adjustment, in the name of who asked for it.

    Raises: AdjustmentError and what `adjust` raises.
    """
    if approval.member_id is None:
        raise AdjustmentError("member_required", _("The request names no member."))
    adjust(
        member=approval.member_id,
        points=int(approval.payload["points"]),
        reason=approval.reason,
        at=at,
        actor=approval.requested_by,
        limit_points=None,
    )


def summarise(approval: Approval) -> str:
    """Return what a request for an adjustment asks for, for people."""
    points = formats.signed(int(approval.payload["points"]))
    return gettext("%(points)s points") % {"points": points}


def effects(approval: Approval) -> Sequence[Change]:
    """Return what an adjustment would do to the balance, and what it takes of the maker's limit."""
    account = PointsAccount.objects.filter(member=approval.member).first()
    if account is None or approval.state != ApprovalState.REQUESTED:
        return ()
    points = int(approval.payload["points"])
    settled = min(account.debt, max(0, points))
    changes = [
        _change(gettext("Available points"), account.available, points - settled),
    ]
    if settled:
        changes.append(_change(gettext("Points debt"), account.debt, -settled))
    user = approval.payload.get(USER)
    if user is not None:
        used = used_today(user, approval.requested_at)
        what = gettext("Used that day by %(who)s, of %(limit)s alone") % {
            "who": approval.requested_by,
            "limit": formats.points(authority.limits_of(user).day),
        }
        changes.append(_change(what, used - abs(points), abs(points)))
    return changes


def _change(what: str, before: int, by: int) -> Change:
    return Change(what, formats.points(before), formats.points(before + by))
