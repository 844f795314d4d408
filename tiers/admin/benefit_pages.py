"""What each tier gives of each benefit, side by side, and the form that asks for another."""

from typing import Any, Final

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
from config.base.names import name_of
from tiers.models import Benefit, LeavePolicy, QuotaPeriod, Tier
from tiers.services import benefit_terms
from tiers.services.benefit_terms import Terms, terms_of

LOOK: Final = (benefit_terms.EDIT_PERMISSION, benefit_terms.APPROVE_PERMISSION)
MOST_USES: Final = 100_000


class TermsForm(forms.Form):
    """What a tier gives of a benefit, from when, and why."""

    gives = forms.BooleanField(label=_("The tier gives this benefit"), required=False)
    quota = forms.IntegerField(
        label=_("uses per period"), required=False, min_value=1, max_value=MOST_USES,
        help_text=_("Empty: without limit."),
    )  # fmt: skip
    period = forms.ChoiceField(label=_("period"), choices=QuotaPeriod.choices)
    on_leave = forms.ChoiceField(label=_("on leaving the tier"), choices=LeavePolicy.choices)
    starts_at = forms.DateTimeField(
        label=_("Takes effect"), required=False, help_text=_("Empty: once it is approved."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 2})
    )

    def terms(self) -> Terms:
        """Return what was asked for."""
        said = self.cleaned_data
        if not said["gives"]:
            return Terms(gives=False)
        return Terms(True, said["quota"], said["period"], said["on_leave"])


def matrix_page(request: HttpRequest) -> HttpResponse:
    """Show benefits by tier, with what looks wrong.

    Source: BEN-04, TIR-06.
    """
    if not any(request.user.has_perm(permission) for permission in LOOK):
        raise PermissionDenied
    at = clock.now()
    tiers = list(Tier.objects.order_by("rank"))
    given = {(row.tier_id, row.benefit_id): row for row in benefit_terms.current(at)}
    rows = [
        (
            benefit,
            [(tier, str(terms_of(given[tier.pk, benefit.pk]))
              if (tier.pk, benefit.pk) in given else "–") for tier in tiers],
        )
        for benefit in Benefit.objects.filter(is_active=True).order_by("code")
    ]  # fmt: skip
    context = {
        **site.current().each_context(request),
        "title": gettext("Benefits by tier"),
        "tiers": tiers,
        "rows": rows,
        "warnings": benefit_terms.warnings(at=at),
        "may_ask": request.user.has_perm(benefit_terms.EDIT_PERMISSION),
    }
    return TemplateResponse(request, "admin/tiers/benefit_matrix.html", context)


def terms_page(request: HttpRequest, tier_id: int, benefit_id: int) -> HttpResponse:
    """Ask for a tier to give a benefit otherwise.

    Source: BEN-04.
    """
    if not request.user.has_perm(benefit_terms.EDIT_PERMISSION):
        raise PermissionDenied
    tier = get_object_or_404(Tier, pk=tier_id)
    benefit = get_object_or_404(Benefit, pk=benefit_id)
    found = benefit_terms.current(clock.now(), tier=tier, benefit=benefit)
    before = terms_of(found[0] if found else None)
    initial: dict[str, Any] = {
        "gives": True, "quota": before.quota, "period": before.period, "on_leave": before.on_leave,
    }  # fmt: skip
    form = TermsForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid() and _asked(request, tier, benefit, form):
        return redirect("admin:benefit_matrix")
    context = {
        **site.current().each_context(request),
        "title": f"{name_of(tier)} · {name_of(benefit)}",
        "before": before,
        "form": form,
    }
    return TemplateResponse(request, "admin/tiers/benefit_terms.html", context)


def _asked(request: HttpRequest, tier: Tier, benefit: Benefit, form: TermsForm) -> bool:
    try:
        benefit_terms.ask(
            tier=tier, benefit=benefit, terms=form.terms(),
            starts_at=form.cleaned_data["starts_at"], reason=form.cleaned_data["reason"],
            actor=actor_of(request), at=clock.now(),
        )  # fmt: skip
    except DomainError as error:
        form.add_error(None, str(error.message))
        return False
    messages.success(request, gettext("Sent for approval."))
    return True
