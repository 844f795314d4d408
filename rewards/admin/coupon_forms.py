"""What staff do with coupons: make codes, load codes, revoke one, each with one service call."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.admin.actors import actor_of
from config.base.admin.file_input import FileInput
from config.base.conditions import ConditionError
from config.base.errors import DomainError
from rewards.admin.redemption_forms import form_page
from rewards.domain.coupon_terms import CouponTermsError
from rewards.models import Coupon, CouponTemplate
from rewards.services import coupon_batches, coupon_revocation, coupon_templates
from rewards.services.rejects import rejects_path

BATCH_PERMISSION: Final = "rewards.add_couponbatch"
REVOKE_PERMISSION: Final = "rewards.change_coupon"
MOST_CODES: Final = 100_000
REJECTS_SHOWN: Final = 10


class CouponTemplateForm(forms.ModelForm):  # type: ignore[type-arg]
    """A template as staff describe it; what cannot be read or makes no sense is said."""

    class Meta:
        """All that a template says."""

        model = CouponTemplate
        fields = (
            "code", "name_zh", "name_en", "terms_zh", "terms_en", "kind", "amount", "percent",
            "max_discount", "free_sku", "min_spend", "conditions", "line_conditions",
            "is_first_order_only", "stacking", "is_bearer", "valid_from", "valid_until",
            "expires_after_days", "uses_per_code", "uses_per_member", "max_issued",
            "is_claimable", "claims_per_member", "is_goodwill", "is_active",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Refuse terms that say nothing or contradict themselves, at the field that says so."""
        values: dict[str, Any] = super().clean() or {}
        for name in ("conditions", "line_conditions"):
            if not values.get(name):
                values[name] = None
        if self.errors:
            return values
        said = {**self._kept(), **values}
        try:
            coupon_templates.check(CouponTemplate(**said))
        except CouponTermsError as error:
            self._note(error.field, error)
        except ConditionError as error:
            self._note_condition(said, error)
        return values

    def _kept(self) -> dict[str, Any]:
        columns = CouponTemplate._meta.concrete_fields
        return {column.name: getattr(self.instance, column.name) for column in columns}

    def _note_condition(self, said: Mapping[str, Any], error: ConditionError) -> None:
        """Say where in which of the two conditions the mistake is."""
        try:
            coupon_templates.check(CouponTemplate(**{**said, "line_conditions": None}))
            name = "line_conditions"
        except DomainError:
            name = "conditions"
        self._note(name, error, f"{error.path}: " if error.path else "")

    def _note(self, name: str, error: DomainError, place: str = "") -> None:
        self.add_error(name if name in self.fields else None, f"{place}{error.message}")


class GenerateForm(forms.Form):
    """How many codes to make, and what they are for."""

    name = forms.CharField(label=_("name"), max_length=80)
    count = forms.IntegerField(label=_("codes"), min_value=1, max_value=MOST_CODES)


class LoadForm(forms.Form):
    """A file of codes."""

    file = forms.FileField(
        widget=FileInput,
        label=_("file"),
        help_text=_("One code a line, or CSV with a column “code” and, if wanted, “expires_on”."),
    )


class RevokeForm(forms.Form):
    """Why a coupon is taken away."""

    reason = forms.CharField(label=_("Reason"), max_length=coupon_revocation.MAX_REASON)


def generate_page(request: HttpRequest, template_id: int) -> HttpResponse:
    """Make codes of a template: for whoever has them, or for its pool."""
    template = _template(request, template_id)
    form = GenerateForm(request.POST if request.method == "POST" else None)
    actor = actor_of(request)

    def work() -> object:
        values = form.cleaned_data
        return coupon_batches.generate(template=template, at=clock.now(), actor=actor, **values)

    return form_page(request, form, work, (gettext("Make codes"), *_place(template)))


def load_page(request: HttpRequest, template_id: int) -> HttpResponse:
    """Load codes that others have made into a template."""
    template = _template(request, template_id)
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    form = LoadForm(*posted)
    actor = actor_of(request)

    def work() -> None:
        _load(request, template, form.cleaned_data["file"], actor)

    return form_page(request, form, work, (gettext("Load codes"), *_place(template)))


def revoke_page(request: HttpRequest, coupon_id: int) -> HttpResponse:
    """Take a coupon away that nobody has used, with a reason."""
    if not request.user.has_perm(REVOKE_PERMISSION):
        raise PermissionDenied
    coupon = get_object_or_404(Coupon, pk=coupon_id)
    form = RevokeForm(request.POST if request.method == "POST" else None)
    actor = actor_of(request)

    def work() -> object:
        return coupon_revocation.revoke(
            coupons=[coupon.pk], reason=form.cleaned_data["reason"], at=clock.now(), actor=actor
        )

    back = reverse("admin:rewards_coupon_change", args=[coupon.pk])
    return form_page(request, form, work, (gettext("Revoke"), str(coupon), back))


def _template(request: HttpRequest, template_id: int) -> CouponTemplate:
    if not request.user.has_perm(BATCH_PERMISSION):
        raise PermissionDenied
    return get_object_or_404(CouponTemplate, pk=template_id)


def _place(template: CouponTemplate) -> tuple[str, str]:
    back = reverse("admin:rewards_coupontemplate_change", args=[template.pk])
    return str(template), back


def _load(
    request: HttpRequest, template: CouponTemplate, file: "UploadedFile[Any]", actor: str
) -> None:
    """Load an uploaded file, and tell what became of it and which lines were not taken."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / (Path(file.name or "").name[-80:] or "codes")
        with path.open("wb") as copy:
            for chunk in file.chunks():
                copy.write(chunk)
        report = coupon_batches.load(template=template, path=path, at=clock.now(), actor=actor)
        rejects = _rejects(path)
    told = gettext("%(loaded)d loaded, %(skipped)d known before, %(rejected)d rejected")
    figures = {name: report.get(name, 0) for name in ("loaded", "skipped", "rejected")}
    messages.info(request, told % figures)
    for line in rejects:
        messages.warning(request, line)


def _rejects(path: Path) -> list[str]:
    found = rejects_path(path)
    if not found.exists():
        return []
    return found.read_text(encoding="utf-8-sig").splitlines()[1 : REJECTS_SHOWN + 1]
