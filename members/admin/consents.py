"""Recording what a member says at the desk: a refusal at once; what is allowed needs its text.

Source: MEM-11, CMP-07.
"""

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
from config.base.admin import site
from config.base.admin.actors import actor_of
from config.base.panels import Visit
from members import words
from members.admin.member import masked_name
from members.models import Member
from members.services import consents
from members.services.consents import ConsentDecision

PERMISSION: Final = "members.add_consent"
PERSONALISATION: Final = "personalisation"
SOURCE: Final = "staff"
OFFERED: Final = ("marketing", PERSONALISATION, "profiling", "service")
# Whoever has not refused them is shown recommendations: allowing them again undoes a refusal.
MAY_ALLOW: Final = frozenset({PERSONALISATION})


class ConsentForm(forms.Form):
    """What the member has decided."""

    purpose = forms.ChoiceField(
        label=_("Purpose"), choices=[(code, words.CONSENT_PURPOSES[code]) for code in OFFERED]
    )
    granted = forms.ChoiceField(
        label=_("Decision"), choices=[("no", _("refused")), ("yes", _("allowed"))]
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("How the member said so."),
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Refuse to allow for the member what needs a text that the member has seen."""
        said = super().clean() or {}
        if said.get("granted") == "yes" and said.get("purpose") not in MAY_ALLOW:
            self.add_error("granted", _("Only the member can allow this, after reading its text."))
        return said

    def decision(self) -> ConsentDecision:
        """Return what was filled in."""
        said = self.cleaned_data
        return ConsentDecision(
            said["purpose"], said["granted"] == "yes", source=SOURCE, evidence=said["reason"]
        )


def consent_page(request: HttpRequest, member_id: int) -> HttpResponse:
    """Record a decision of a member."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    member = get_object_or_404(Member.objects.select_related("profile"), pk=member_id)
    initial = {"purpose": request.GET.get("purpose", OFFERED[0])}
    form = ConsentForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        consents.record(
            {member.pk: [form.decision()]}, touchpoint=None, at=clock.now(),
            actor=actor_of(request),
        )  # fmt: skip
        messages.success(request, gettext("Done."))
        return redirect("admin:members_member_change", member.pk)
    context = {
        **site.current().each_context(request),
        "title": gettext("Record a consent"),
        "member": member,
        "member_name": masked_name(member),
        "form": form,
        "submit": gettext("Save"),
    }
    return TemplateResponse(request, "admin/console/form.html", context)


def consent_address(visit: Visit) -> str:
    """Return where what a member decides is recorded."""
    return reverse("admin:member_consent", args=[visit.subject.pk])
