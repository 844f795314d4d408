"""The console's pages of coupons."""

from django.contrib import admin

from config.base.admin.options import ReadOnlyAdmin
from members.admin.base import MemberOwnedAdmin
from rewards.models import Coupon, CouponBatch, CouponTemplate, CouponUse


@admin.register(CouponTemplate)
class CouponTemplateAdmin(ReadOnlyAdmin):
    """What coupons there are."""

    list_display = ("code", "name_zh", "kind", "min_spend", "issued", "max_issued", "is_active")
    list_filter = ("kind", "is_active")
    search_fields = ("code", "name_zh", "name_en")


@admin.register(CouponBatch)
class CouponBatchAdmin(ReadOnlyAdmin):
    """Codes made or loaded together."""

    list_display = ("created_at", "template", "name", "count", "skipped", "created_by")
    list_select_related = ("template",)


@admin.register(Coupon)
class CouponAdmin(MemberOwnedAdmin):
    """Every code."""

    list_display = (
        "issued_at", "member_card", "template", "max_uses", "held", "used", "expires_at",
        "revoked_at",
    )  # fmt: skip
    list_select_related = ("member", "template")
    own_references = ("code",)


@admin.register(CouponUse)
class CouponUseAdmin(MemberOwnedAdmin):
    """Where coupons were used."""

    list_display = ("member_card", "coupon", "status", "order", "redeemed_at", "returned_at")
    list_select_related = ("member", "coupon", "order")
