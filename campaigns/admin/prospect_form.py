"""The form in which offers to prospects are written."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.models import MessageTemplate, OfferKind, ProspectOffer, Purpose
from campaigns.services import prospect_offers
from members.models import InterestKind
from rewards.models import CouponTemplate

_HELP: Final = {
    "product": _("Code of the new product; for offers of a new product."),
    "interest": _("Empty: any interest of this kind."),
    "min_days": _("Since the prospect was entered."),
    "max_days": _("Since the prospect was entered; empty: any time."),
    "valid_days": _("Full days after the message within which joining counts."),
    "ends_at": _("Nobody is written to afterwards, and joining no longer counts."),
    "points": _("Points or a coupon, one of the two."),
    "most_given": _("So many members are given it at most."),
    "holdout_percent": _("So many are not written to, so that the offer can be measured."),
}


class OfferForm(forms.ModelForm):  # type: ignore[type-arg]
    """An offer as staff describe it; its service decides whether it can be one."""

    sources = forms.CharField(
        label=_("Sources"), max_length=400, required=False,
        help_text=_("Codes, parted by commas. Empty: any source."),
    )  # fmt: skip

    class Meta:
        """All that an offer says."""

        model = ProspectOffer
        fields = prospect_offers.TERMS
        help_texts = _HELP

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer what can be named, and bound what is counted."""
        super().__init__(*args, **kwargs)
        self.fields["kind"] = forms.ChoiceField(label=_("Kind"), choices=OfferKind.choices)
        self.fields["interest_kind"] = forms.ChoiceField(
            label=_("Kind of interest"), choices=[("", "–"), *InterestKind.choices], required=False
        )
        self.fields["template"] = forms.ModelChoiceField(
            MessageTemplate.objects.filter(purpose=Purpose.MARKETING, retired_at=None),
            label=_("Message template"),
        )
        self.fields["coupon_template"] = forms.ModelChoiceField(
            CouponTemplate.objects.filter(is_active=True).order_by("code"),
            label=_("Coupon template"), required=False,
        )  # fmt: skip
        for name in ("starts_at", "ends_at"):
            self.fields[name].widget = forms.DateTimeInput(
                attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"
            )
        self.fields["holdout_percent"] = forms.IntegerField(
            label=_("Hold-out in per cent"), min_value=0, max_value=50, initial=10,
            help_text=_HELP["holdout_percent"],
        )  # fmt: skip
        # What a column cannot hold: the row itself is not cleaned here.
        columns = {each.name: each for each in ProspectOffer._meta.fields}
        for name in ("min_days", "max_days", "points", "valid_days", "most_given"):
            self.fields[name].validators += columns[name].validators

    def _post_clean(self) -> None:
        """Leave the row alone: the service writes it."""

    def clean_sources(self) -> list[str]:
        """Return the sources, each once."""
        parts = self.cleaned_data["sources"].replace("，", ",").split(",")
        return list(dict.fromkeys(part.strip() for part in parts if part.strip()))

    def terms(self) -> dict[str, Any]:
        """Return what the offer is to say."""
        return {term: self.cleaned_data[term] for term in prospect_offers.TERMS}
