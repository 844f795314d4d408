"""The form of the referral programme's next terms."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.models import ReferralProgramme
from campaigns.services import referral_terms
from config.base import clock
from config.base.admin import site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from rewards.models import CouponTemplate

MOST_DAYS: Final = 3_650
_TEMPLATES: Final = ("coupon_template", "friend_template")
_HELP: Final = {
    "points": _("Where the reward is points."),
    "coupon_template": _("Where the reward is a coupon."),
    "amount": _("Where the reward is cash: it goes to the queue of payouts."),
    "friend_template": _("Given when the friend joins; empty: none."),
    "min_amount": _("Net of refunds, goods and services."),
    "return_window_days": _("Full days after the order; the referrer is rewarded afterwards."),
    "max_per_month": _("Per referrer; 0: no limit."),
    "max_per_year": _("Per referrer; 0: no limit."),
    "friends_per_day": _("Per referrer; more are held for a check. 0: no limit."),
    "link": _("Where friends join, with {code} where the code belongs."),
}


class TermsForm(forms.ModelForm):  # type: ignore[type-arg]
    """Terms as staff describe them."""

    reason = forms.CharField(
        label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 2})
    )

    class Meta:
        """All that terms say."""

        model = ReferralProgramme
        fields = referral_terms.TERMS
        help_texts = _HELP

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer templates that are given out, and bound what is counted."""
        super().__init__(*args, **kwargs)
        offered = CouponTemplate.objects.filter(is_active=True).order_by("code")
        for name in _TEMPLATES:
            self.fields[name] = forms.ModelChoiceField(
                offered, label=self.fields[name].label, required=False,
                help_text=self.fields[name].help_text,
            )  # fmt: skip
        for name in ("return_window_days", "valid_days", "claw_back_days"):
            field = self.fields[name]
            assert isinstance(field, forms.IntegerField)
            self.fields[name] = forms.IntegerField(
                label=field.label, min_value=0, max_value=MOST_DAYS, help_text=field.help_text
            )

    def _post_clean(self) -> None:
        """Leave stored terms alone: what is posted becomes a version of its own."""

    def terms(self) -> dict[str, Any]:
        """Return what the terms are to say."""
        return {term: self.cleaned_data[term] for term in referral_terms.TERMS}


def terms_page(request: HttpRequest) -> HttpResponse:
    """Ask for other terms of the referral programme.

    Source: ENG-04.
    """
    if not request.user.has_perm(referral_terms.EDIT_PERMISSION):
        raise PermissionDenied
    base = referral_terms.latest()
    initial = model_to_dict(base, referral_terms.TERMS) if base else None
    form = TermsForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid() and _asked(request, form):
        return redirect("admin:campaigns_referralprogramme_changelist")
    context = {
        **site.current().each_context(request),
        "title": gettext("Referral programme"),
        "note": gettext("In force once somebody else agrees; who has joined by then keeps theirs."),
        "form": form,
        "submit": gettext("Send for approval"),
        "back": "admin:campaigns_referralprogramme_changelist",
    }
    return TemplateResponse(request, "admin/campaigns/form.html", context)


def _asked(request: HttpRequest, form: TermsForm) -> bool:
    try:
        referral_terms.ask(
            terms=form.terms(), reason=form.cleaned_data["reason"], actor=actor_of(request),
            at=clock.now(),
        )  # fmt: skip
    except DomainError as error:
        form.add_error(error.details.get("field"), str(error.message))
        return False
    messages.success(request, gettext("Sent for approval."))
    return True
