"""The brand: a form for a further version, and the versions there are."""

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from config.base import clock
from config.base.admin.actors import actor_of
from config.base.admin.options import ReadOnlyAdmin
from members.models import Brand
from members.services import brand as brands
from members.services.brand import BrandContent

TEXTS: Final = {
    "tagline": _("Tagline"),
    "terms": _("Terms in short"),
    "support": _("Where to ask"),
}
COLUMNS: Final = (
    "programme_name_zh", "programme_name_en", "points_name_zh", "points_name_en", "logo_url",
    "primary_colour", "accent_colour",
)  # fmt: skip
MAX_TEXT_LENGTH: Final = 4_000


class BrandForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic when it runs
    """What the next version says; it begins with what the present one says."""

    effective_from = forms.SplitDateTimeField(
        label=_("effective from"), required=False, widget=UnfoldAdminSplitDateTimeWidget,
        help_text=_("Empty: at once."),
    )  # fmt: skip

    class Meta:
        model = Brand
        fields = COLUMNS
        widgets = dict.fromkeys(COLUMNS, UnfoldAdminTextInputWidget)

    def clean_effective_from(self) -> Any:
        """Refuse an instant that is over: what was published stays published."""
        at = self.cleaned_data["effective_from"] or clock.now()
        if at < clock.now() and self.cleaned_data["effective_from"]:
            raise ValidationError(_("A version cannot begin in the past."))
        if Brand.objects.filter(effective_from=at).exists():
            raise ValidationError(_("Another version begins at the same instant."))
        return at

    def content(self) -> BrandContent:
        """Return what was entered."""
        texts = {
            code: {language: self.cleaned_data[f"{code}_{language}"] for language in ("zh", "en")}
            for code in TEXTS
        }
        columns = {name: self.cleaned_data[name] for name in COLUMNS}
        return BrandContent(**columns, texts=texts)


def _text_field(label: Any, language: str) -> forms.CharField:
    return forms.CharField(
        label=f"{label} ({language})",
        required=False,
        max_length=MAX_TEXT_LENGTH,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )


@admin.register(Brand)
class BrandAdmin(ReadOnlyAdmin):
    """Versions of the brand; a change is a further version."""

    list_display = ("number", "programme_name_zh", "points_name_zh", "effective_from", "created_by")
    show_add_link = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Tell whether the visitor may publish a version."""
        return request.user.has_perm("members.add_brand")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Return the columns of a version that exists; a new one is all form."""
        return [] if obj is None else self.get_fields(request, obj)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Return the fields of the form, or the columns."""
        if obj is not None:
            return super().get_fields(request, obj)
        texts = [f"{code}_{language}" for code in TEXTS for language in ("zh", "en")]
        return [*COLUMNS, *texts, "effective_from"]

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        """Return the form of a new version."""
        if obj is not None:
            return super().get_form(request, obj, change, **kwargs)
        texts = {
            f"{code}_{language}": _text_field(label, language)
            for code, label in TEXTS.items()
            for language in ("zh", "en")
        }
        return type("NewBrandForm", (BrandForm,), texts)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Return what the present version says."""
        present = brands.in_force(clock.now())
        if present is None:
            return {}
        initial = {name: getattr(present, name) for name in COLUMNS}
        for code in TEXTS:
            for language in ("zh", "en"):
                initial[f"{code}_{language}"] = present.texts.get(code, {}).get(language, "")
        return initial

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Brand:
        """Publish what was entered; nothing else saves a version."""
        return brands.publish(
            content=form.content(),
            effective_from=form.cleaned_data["effective_from"],
            at=clock.now(),
            actor=actor_of(request),
        )

    def save_model(self, request: HttpRequest, obj: Brand, form: Any, change: bool) -> None:
        """Leave it: it is published already."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Leave it: a version has no rows below it."""
