"""Lists of segments and their intervals, and what attributes of members hold."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from config.base.admin.options import ReadOnlyAdmin
from members.admin.base import MemberOwnedAdmin
from members.admin.touchpoint import KeptAdmin
from members.models import AttributeDefinition, Segment, SegmentDay, SegmentMembership


@admin.register(Segment)
class SegmentAdmin(ReadOnlyAdmin):
    """Segments as they are stored; their page shows and changes them."""

    list_display = ("name_zh", "code", "kind", "size", "counted_at", "retired_at")
    list_filter = ("kind",)
    search_fields = ("code", "name_zh", "name_en")


@admin.register(SegmentMembership)
class SegmentMembershipAdmin(MemberOwnedAdmin):
    """Who was in which segment, from when until when."""

    list_display = ("member_card", "segment", "from_at", "to_at")
    list_select_related = ("member", "segment")


@admin.register(SegmentDay)
class SegmentDayAdmin(ReadOnlyAdmin):
    """How large segments were."""

    list_display = ("segment", "on", "size", "entries", "exits")
    list_select_related = ("segment",)


class AttributeDefinitionForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic when it runs
    """An attribute; the values that can be chosen stand one on a line."""

    choices = forms.CharField(
        label=_("values"), required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}),
        help_text=_("One on each line; only where values are chosen."),
    )  # fmt: skip

    class Meta:
        model = AttributeDefinition
        fields = ("code", "name_zh", "name_en", "type", "choices")

    def __init__(self, *args: Any, **values: Any) -> None:
        """Show stored values line by line."""
        super().__init__(*args, **values)
        self.initial["choices"] = "\n".join(self.instance.choices or [])

    def clean_choices(self) -> list[str]:
        """Return the lines that say something, each once."""
        lines = [line.strip() for line in self.cleaned_data["choices"].splitlines()]
        return list(dict.fromkeys(line for line in lines if line))

    def clean(self) -> dict[str, Any]:
        """Refuse a choice without values."""
        values: dict[str, Any] = super().clean() or {}
        type_ = values.get("type", self.instance.type)
        if type_ in {"choice", "multi"} and not values.get("choices"):
            raise ValidationError({"choices": _("Name the values that can be chosen.")})
        return values


@admin.register(AttributeDefinition)
class AttributeDefinitionAdmin(KeptAdmin):
    """What attributes of members hold: declared once, checked wherever they are written."""

    form = AttributeDefinitionForm
    list_display = ("code", "name_zh", "name_en", "type")
    search_fields = ("code", "name_zh", "name_en")

    def get_readonly_fields(
        self, request: HttpRequest, obj: AttributeDefinition | None = None
    ) -> tuple[str, ...]:
        """Keep the code and the type: what is stored under them stays what it is."""
        return ("code", "type") if obj else ()
