"""Freezing, unfreezing and closing a member: one form that asks for the reason."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.admin import formats, site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from config.base.panels import Visit
from members import words
from members.admin.member import masked_name
from members.domain import callers
from members.domain.status import TRANSITIONS, Verb, verbs_for
from members.models import Member
from members.services.status import MAX_NOTE_LENGTH
from rewards import balances
from rewards.models import Coupon
from rewards.services import membership
from tiers import queries as tier_queries
from tiers.models import PaidMembership

PERMISSION: Final = "members.change_member"
NOTES: Final[dict[Verb, Promise]] = {
    Verb.FREEZE: _("Purchases go on earning points; nothing can be spent or given by hand."),
    Verb.UNFREEZE: _("The member can spend again."),
    Verb.CLOSE: _("For good. Purchases are kept but earn nothing, nothing can be spent."),
}


class StatusForm(forms.Form):
    """What is to be done, why, and what is worth remembering about it."""

    def __init__(self, verbs: list[Verb], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reasons = dict.fromkeys(code for verb in verbs for code in TRANSITIONS[verb].reasons)
        self.fields["verb"] = forms.ChoiceField(
            label=_("What to do"),
            choices=[(verb.value, words.verb(verb)) for verb in verbs],
            help_text=" ".join(f"{words.verb(verb)}: {NOTES[verb]}" for verb in verbs),
        )
        self.fields["reason"] = forms.ChoiceField(
            label=_("Reason"), choices=[(code, words.status_reason(code)) for code in reasons]
        )
        self.fields["note"] = forms.CharField(
            label=_("Note"), required=False, max_length=MAX_NOTE_LENGTH,
            widget=forms.Textarea(attrs={"rows": 3}),
        )  # fmt: skip
        checks = [(code, words.caller_check(code)) for code in callers.CHECKS]
        self.fields["verified_by"] = forms.ChoiceField(
            label=_("How was the caller identified?"),
            choices=[("", _("Please choose")), *checks],
        )


def status_page(request: HttpRequest, member_id: int) -> HttpResponse:
    """Freeze, unfreeze or close one member."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    member = get_object_or_404(Member.objects.select_related("profile"), pk=member_id)
    verbs = verbs_for(member.status)
    if not verbs:
        raise Http404
    form = StatusForm(verbs, request.POST or None)
    if request.method == "POST" and form.is_valid() and _done(request, member, form):
        return redirect("admin:members_member_change", member.pk)
    context = {
        **site.current().each_context(request),
        "title": gettext("Freeze or close"),
        "member": member,
        "member_name": masked_name(member),
        "form": form,
        "note": gettext("Status now: %(status)s.") % {"status": member.get_status_display()},
        "submit": gettext("Change status"),
        "lost": _lost_by_closing(member) if Verb.CLOSE in verbs else (),
    }
    return TemplateResponse(request, "admin/rewards/status.html", context)


def _lost_by_closing(member: Member) -> list[tuple[str, str]]:
    """Return what the member has that closing would end, for people; nothing is left away."""
    at = clock.now()
    balance = balances.points_of(member.pk, at=at).balance
    benefits = tier_queries.benefits_left([member.pk], at)[member.pk]
    paid = PaidMembership.objects.filter(member=member, until_at__gt=at, closed_at__isnull=True)
    rows = [
        (gettext("Available points"), balance.available),
        (gettext("Pending points"), balance.pending),
        (gettext("Reserved points"), balance.reserved),
        (gettext("Coupons to use"), Coupon.objects.live(at).filter(member=member).count()),
        (gettext("Benefits"), len(benefits)),
        (gettext("Paid memberships"), paid.count()),
    ]
    return [(title, formats.points(number)) for title, number in rows]


def _done(request: HttpRequest, member: Member, form: StatusForm) -> bool:
    try:
        membership.change_status(
            verb=Verb(form.cleaned_data["verb"]),
            member=member.pk,
            reason=form.cleaned_data["reason"],
            note=form.cleaned_data["note"],
            verified_by=form.cleaned_data["verified_by"],
            actor=actor_of(request),
            at=clock.now(),
        )
    except DomainError as error:
        form.add_error(None, str(error.message))
        return False
    messages.success(request, gettext("The status has been changed."))
    return True


def status_address(visit: Visit) -> str:
    """Return where a member's status is changed; empty where it cannot be any more."""
    if not verbs_for(visit.subject.status):
        return ""
    return reverse("admin:member_status", args=[visit.subject.pk])
