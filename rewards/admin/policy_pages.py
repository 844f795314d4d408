"""The form of the next points policy: when points expire, become available, and what they pay."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.admin import site
from config.base.admin.actors import actor_of
from config.base.errors import DomainError
from members.models import Approval, Channel
from members.services.approvals import Change
from rewards.models import PointsPolicy
from rewards.models.rule import ExpiryPolicy
from rewards.services import policy_versions

WINDOW: Final = "window_"
LISTS: Final = ("excluded_skus", "excluded_categories", "excluded_brands")
MOST_DAYS: Final = 36_525


class PolicyForm(forms.ModelForm):  # type: ignore[type-arg]
    """A policy as staff describe it."""

    starts_at = forms.DateTimeField(
        label=_("Takes effect"), required=False,
        help_text=_("Empty: at the midnight after it is approved."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Reason"), max_length=200, widget=forms.Textarea(attrs={"rows": 2})
    )

    class Meta:
        """All that a policy says, but for what takes fields of its own."""

        model = PointsPolicy
        fields = tuple(
            name for name in policy_versions.TERMS if name not in {"return_window_days", *LISTS}
        )

    def __init__(self, policy: PointsPolicy, data: QueryDict | None) -> None:
        """Begin with what a policy says."""
        super().__init__(data, instance=policy)
        own: dict[str, forms.Field] = {}
        for channel in Channel:
            label = gettext("return window: %(channel)s (days)") % {"channel": channel.label}
            own[f"{WINDOW}{channel.value}"] = forms.IntegerField(
                label=label, min_value=0, max_value=3_650, required=False,
                initial=policy.return_window_days.get(channel.value, 0),
            )  # fmt: skip
        for name in LISTS:
            own[name] = forms.CharField(
                label=policy_versions.name_of_term(name), required=False,
                initial=", ".join(getattr(policy, name)), help_text=gettext("Separated by commas."),
            )  # fmt: skip
        last = {name: self.fields.pop(name) for name in ("starts_at", "reason")}
        self.fields.update({**own, **last})

    def clean(self) -> dict[str, Any]:
        """Refuse what no policy can say."""
        said: dict[str, Any] = super().clean() or {}
        if said.get("expiry") == ExpiryPolicy.FIXED_DATE and not _is_day(said.get("expires_on")):
            self.add_error("expires_on", gettext("Write a day of the year as MM-DD."))
        lasts = said.get("expiry") not in {ExpiryPolicy.NEVER, ExpiryPolicy.FIXED_DATE}
        if lasts and not 0 < (said.get("expires_after") or 0) <= MOST_DAYS:
            self.add_error("expires_after", gettext("Points last for some time at least."))
        for name in ("pay_points", "pay_step_points", "pay_amount"):
            if said.get(name) is not None and said[name] <= 0:
                self.add_error(name, gettext("Write a number above 0."))
        if not 0 <= (said.get("pay_max_percent") or 0) <= 100:
            self.add_error("pay_max_percent", gettext("Write a number from 0 to 100."))
        return said

    def _post_clean(self) -> None:
        """Leave the stored policy alone: what is posted becomes a version of its own."""

    def terms(self) -> dict[str, Any]:
        """Return what the policy is to say."""
        said = self.cleaned_data
        windows = {
            channel.value: said[f"{WINDOW}{channel.value}"]
            for channel in Channel
            if said[f"{WINDOW}{channel.value}"]
        }
        lists = {
            name: sorted({part.strip() for part in said[name].split(",") if part.strip()})
            for name in LISTS
        }
        if said["expiry"] != ExpiryPolicy.FIXED_DATE:
            said["expires_on"] = ""
        plain = {name: said[name] for name in self._meta.fields or ()}
        return {**plain, **lists, "return_window_days": windows}


def _is_day(text: str | None) -> bool:
    """Tell whether a text is a day that every year has."""
    try:
        return bool(text) and len(text or "") == 5 and bool(date.fromisoformat(f"2027-{text}"))
    except ValueError:
        return False


def policy_page(request: HttpRequest) -> HttpResponse:
    """Ask for another points policy.

    Source: PTS-02, PTS-07.
    """
    if not request.user.has_perm(policy_versions.EDIT_PERMISSION):
        raise PermissionDenied
    base = policy_versions.in_force(clock.now()) or PointsPolicy()
    form = PolicyForm(base, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and _asked(request, form):
        return redirect("admin:rewards_pointspolicy_changelist")
    context = {
        **site.current().each_context(request),
        "title": gettext("New points policy"),
        "form": form,
    }
    return TemplateResponse(request, "admin/rewards/policy.html", context)


def _asked(request: HttpRequest, form: PolicyForm) -> bool:
    try:
        policy_versions.ask(
            terms=form.terms(), starts_at=form.cleaned_data["starts_at"],
            reason=form.cleaned_data["reason"], actor=actor_of(request), at=clock.now(),
        )  # fmt: skip
    except DomainError as error:
        form.add_error(None, str(error.message))
        return False
    messages.success(request, gettext("Sent for approval."))
    return True


def effects(approval: Approval) -> Sequence[Change]:
    """Return what a request about the policy would change, for who decides it."""
    return policy_versions.effects(approval, clock.now())


def execute_approved(approval: Approval, at: datetime) -> None:
    """Publish what was approved. Raises: PolicyError."""
    policy_versions.publish(approval, at)
