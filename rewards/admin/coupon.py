"""The console's pages of coupons."""

from collections.abc import Mapping
from typing import Any, Final

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from config.base import clock
from config.base.admin.decorators import labelled
from config.base.admin.options import ConsoleAdmin, ReadOnlyAdmin
from config.base.panels import Visit
from members.admin.base import MemberOwnedAdmin
from rewards import coupon_words
from rewards.admin.coupon_forms import CouponTemplateForm
from rewards.domain import coupon_codes
from rewards.models import Coupon, CouponBatch, CouponMisses, CouponTemplate, CouponUse
from rewards.services import coupon_templates
from rewards.services.coupon_reading import coupons_of
from rewards.services.coupon_terms import terms_of

STATUS_COLOURS: Final = {
    "pooled": "info", "issued": "success", "held": "warning", "redeemed": "info",
    "expired": "danger", "revoked": "danger", "returned": "warning",
}  # fmt: skip
SHOWN: Final = 10


@admin.register(CouponTemplate)
class CouponTemplateAdmin(ConsoleAdmin):
    """What coupons there are; terms can be changed until the first one is issued."""

    form = CouponTemplateForm
    list_display = ("code", "name_zh", "kind", "min_spend", "issued", "max_issued", "is_active")
    list_filter = ("kind", "is_active")
    search_fields = ("code", "name_zh", "name_en")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Return what cannot be changed: the terms, once a coupon was issued."""
        fixed = ["issued", "worth", "verbs"]
        if obj is None or not obj.issued:
            return fixed
        columns = [column.name for column in CouponTemplate._meta.concrete_fields]
        open_fields = coupon_templates.OPEN_FIELDS | {"id", "issued"}
        return [*fixed, *(name for name in columns if name not in open_fields)]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: what was issued stays; a template is made inactive."""
        return False

    def save_model(
        self, request: HttpRequest, obj: CouponTemplate, form: CouponTemplateForm, change: bool
    ) -> None:
        """Let the service make or change the template."""
        values = {name: form.cleaned_data[name] for name in form.fields}
        if change:
            coupon_templates.update(template=obj.pk, values=values)
        else:
            obj.pk = coupon_templates.create(values=values).pk

    @admin.display(description=_("worth"))
    def worth(self, template: CouponTemplate) -> str:
        """Return what a coupon takes off, in words."""
        return "–" if template._state.adding else coupon_words.worth(terms_of(template))

    @admin.display(description=_("what can be done"))
    def verbs(self, template: CouponTemplate) -> SafeString | str:
        """Return where codes are made and loaded."""
        if template._state.adding:
            return "–"
        links = (
            (reverse("admin:coupons_generate", args=[template.pk]), _("Make codes")),
            (reverse("admin:coupons_load", args=[template.pk]), _("Load codes")),
        )
        return format_html_join(" · ", '<a class="lc-link" href="{}">{}</a>', links)


@admin.register(CouponBatch)
class CouponBatchAdmin(ReadOnlyAdmin):
    """Codes made or loaded together."""

    list_display = ("created_at", "template", "name", "count", "skipped", "created_by")
    list_select_related = ("template",)


@admin.register(Coupon)
class CouponAdmin(MemberOwnedAdmin):
    """Every code; found by the code as it is printed."""

    list_display = (
        "printed", "member_card", "template", "status_label", "issued_at", "expires_at",
    )  # fmt: skip
    list_select_related = ("member", "template")
    concealed = ("code",)
    shown_last = ("printed", "verbs")

    def find(self, rows: models.QuerySet[Coupon], term: str) -> models.QuerySet[Coupon]:
        """Return the coupon of a code, however it is written, or those of a member."""
        named = rows.filter(code=coupon_codes.normalise(term))
        return named if named.exists() else super().find(rows, term)

    @admin.display(description=_("code"))
    def printed(self, coupon: Coupon) -> str:
        """Return the code as it is printed."""
        return coupon_codes.for_people(coupon.code)

    @labelled(_("status"), STATUS_COLOURS)
    def status_label(self, coupon: Coupon) -> tuple[str, str]:
        """Return where the coupon stands now, with its colour."""
        status = coupon.status_at(clock.now())
        return status.value, str(status.label)

    @admin.display(description=_("what can be done"))
    def verbs(self, coupon: Coupon) -> SafeString | str:
        """Return where a coupon is revoked that nobody has used."""
        if coupon.revoked_at is not None or coupon.used or coupon.held:
            return "–"
        address = reverse("admin:coupon_revoke", args=[coupon.pk])
        return format_html('<a class="lc-link" href="{}">{}</a>', address, _("Revoke"))


@admin.register(CouponUse)
class CouponUseAdmin(MemberOwnedAdmin):
    """Where coupons were used."""

    list_display = ("member_card", "coupon", "status_label", "order", "redeemed_at", "returned_at")
    list_select_related = ("member", "coupon", "order")

    @labelled(_("status"), STATUS_COLOURS)
    def status_label(self, use: CouponUse) -> tuple[str, str]:
        """Return where the use stands, with its colour."""
        return use.status, use.get_status_display()


@admin.register(CouponMisses)
class CouponMissesAdmin(ReadOnlyAdmin):
    """Who has sent codes that lead nowhere."""

    list_display = ("hour", "touchpoint", "count")
    list_select_related = ("touchpoint",)


def coupons_panel(visit: Visit) -> Mapping[str, Any]:
    """Show the member's coupons, those made last first."""
    rows = coupons_of(visit.subject.pk, at=visit.at, live=False, before=None, limit=SHOWN)
    statuses = [(coupon, coupon.status_at(visit.at)) for coupon in rows[:SHOWN]]
    return {
        "coupons": [
            (
                coupon, coupon_codes.for_people(coupon.code),
                coupon_words.worth(terms_of(coupon.template)),
                status.label, STATUS_COLOURS[status.value],
            )
            for coupon, status in statuses
        ],
        "more": len(rows) > SHOWN,
    }  # fmt: skip


def event_details(visit: Visit, payload: Mapping[str, Any]) -> list[str]:
    """Return which coupon an event is about."""
    names = visit.once("coupon_templates", _names)
    told = [names.get(str(payload.get("template", "")), str(payload.get("template", "")))]
    return told + [str(payload[key]) for key in ("ref", "reason") if payload.get(key)]


def _names() -> dict[str, str]:
    return {template.code: str(template) for template in CouponTemplate.objects.all()}
